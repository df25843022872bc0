"""The records of a plan: what was decided, as plain values.

These are the only things of `lab` that a component's arguments hold. Every value is
known before anything exists, none is an Output, and none is a secret: a secret appears
as a `SecretRef`. Addresses are text, because whoever reads a record hands it on as
text; sizes are whole MiB or GiB, as the field names say. The defaults are the secure
ones, so that a record made by hand for one component stays short.
"""

from lab.plan.records.containers import (
    AttachmentPlan,
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
from lab.plan.records.dns import CertificatePlan, DnsPlan, DnsRecordPlan, NamePlan, ResolverPlan
from lab.plan.records.guard import ANYWHERE, GuardPlan, GuardRule
from lab.plan.records.ingress import Auth, EntryPointPlan, IngressPlan, Publication, RoutePlan
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
from lab.plan.records.safety import Acceptance, Expectation
from lab.plan.records.tailnet import GrantPlan, SubnetRouterPlan, TailnetPlan

__all__ = [
    "ANYWHERE",
    "COROSYNC_PORTS",
    "MANAGEMENT_PORTS",
    "Acceptance",
    "AttachmentPlan",
    "Auth",
    "BackupPlan",
    "CertificatePlan",
    "DevicePlan",
    "DiskPlan",
    "DnsPlan",
    "DnsRecordPlan",
    "DockerHostPlan",
    "EngineFacts",
    "EntryPointPlan",
    "Expectation",
    "FilePlan",
    "GrantPlan",
    "GuardPlan",
    "GuardRule",
    "GuestPlan",
    "HealthPlan",
    "IdentityPlan",
    "ImagePlan",
    "IngressPlan",
    "LabPlan",
    "NamePlan",
    "NetworkPlan",
    "NetworkPurpose",
    "NicPlan",
    "NodePlan",
    "PciPlan",
    "Publication",
    "PublishedPort",
    "ResolverPlan",
    "RoutePlan",
    "RouterPlan",
    "RulePlan",
    "SecretFilePlan",
    "SecretRef",
    "ServicePlan",
    "StackPlan",
    "SubnetRouterPlan",
    "TailnetPlan",
    "VlanPlan",
    "VolumePlan",
]
