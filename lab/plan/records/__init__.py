"""The records of a plan: what was decided, as plain values.

These are the only things of `lab` that a component's arguments hold. Every value is
known before anything exists, none is an Output, and none is a secret: a secret appears
as a `SecretRef`. Addresses are text, because whoever reads a record hands it on as
text; sizes are whole MiB or GiB, as the field names say. The defaults are the secure
ones, so that a record made by hand for one component stays short.
"""

from lab.plan.records.containers import (
    AttachmentPlan,
    DockerFilterPlan,
    DockerHostPlan,
    EngineFacts,
    FilePlan,
    HealthPlan,
    NetworkPlan,
    NetworkPurpose,
    PublishedPort,
    SecretFilePlan,
    SecretRef,
    ServicePlan,
    StackPlan,
    VolumePlan,
)
from lab.plan.records.dns import CertificatePlan, DnsPlan, DnsRecordPlan, NamePlan, PairPlan, ResolverPlan
from lab.plan.records.guard import ANYWHERE, GuardPlan, GuardRule
from lab.plan.records.ingress import (
    Auth,
    CrowdsecPlan,
    EntryPointPlan,
    IngressPlan,
    Publication,
    RoutePlan,
    TargetTlsPlan,
    Tls,
)
from lab.plan.records.lab import BackupPlan, IdentityPlan, LabPlan
from lab.plan.records.machines import (
    COROSYNC_PORTS,
    MANAGEMENT_PORTS,
    DevicePlan,
    DiskPlan,
    GuestPlan,
    ImagePlan,
    NicPlan,
    NodePlan,
    PciPlan,
    RouterPlan,
    RulePlan,
    VlanPlan,
)
from lab.plan.records.middlewares import (
    AllowPlan,
    BasicAuthPlan,
    CompressionPlan,
    HeadersPlan,
    InFlightPlan,
    Middleware,
    RateLimitPlan,
)
from lab.plan.records.safety import Acceptance, Expectation
from lab.plan.records.tailnet import GrantPlan, SplitDnsPlan, SshRulePlan, SubnetRouterPlan, TailnetPlan

__all__ = [
    "ANYWHERE",
    "COROSYNC_PORTS",
    "MANAGEMENT_PORTS",
    "Acceptance",
    "AllowPlan",
    "AttachmentPlan",
    "Auth",
    "BackupPlan",
    "BasicAuthPlan",
    "CertificatePlan",
    "CompressionPlan",
    "CrowdsecPlan",
    "DevicePlan",
    "DiskPlan",
    "DnsPlan",
    "DnsRecordPlan",
    "DockerFilterPlan",
    "DockerHostPlan",
    "EngineFacts",
    "EntryPointPlan",
    "Expectation",
    "FilePlan",
    "GrantPlan",
    "GuardPlan",
    "GuardRule",
    "GuestPlan",
    "HeadersPlan",
    "HealthPlan",
    "IdentityPlan",
    "ImagePlan",
    "InFlightPlan",
    "IngressPlan",
    "LabPlan",
    "Middleware",
    "NamePlan",
    "NetworkPlan",
    "NetworkPurpose",
    "NicPlan",
    "NodePlan",
    "PairPlan",
    "PciPlan",
    "Publication",
    "PublishedPort",
    "RateLimitPlan",
    "ResolverPlan",
    "RoutePlan",
    "RouterPlan",
    "RulePlan",
    "SecretFilePlan",
    "SecretRef",
    "ServicePlan",
    "SplitDnsPlan",
    "SshRulePlan",
    "StackPlan",
    "SubnetRouterPlan",
    "TailnetPlan",
    "TargetTlsPlan",
    "Tls",
    "VlanPlan",
    "VolumePlan",
]
