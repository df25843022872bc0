"""Plan records become resources: thin classes that decide nothing.

The only package, with `__main__`, that imports Pulumi and its providers. A component
gets decided values from the plan and live values from other components. It reads no
configuration and no secret, computes no address, and opens no connection.
"""

from components.cluster_firewall import ClusterFirewall, ClusterFirewallArgs
from components.config_volume import ConfigVolume, ConfigVolumeArgs
from components.dns_zone import DnsZone, DnsZoneArgs
from components.docker_host import DockerHost, DockerHostArgs
from components.guest import Guest, GuestArgs
from components.host_guard import HostGuard, HostGuardArgs
from components.isolated_service_stack import IsolatedServiceStack, IsolatedServiceStackArgs
from components.proxmox_node import ProxmoxNode, ProxmoxNodeArgs
from components.service_container import ServiceContainer, ServiceContainerArgs
from components.stack_links import StackLinks, StackLinksArgs
from components.subnet_router import SubnetRouter, SubnetRouterArgs
from components.tailnet_policy import TailnetPolicy, TailnetPolicyArgs
from components.traefik_ingress import TraefikIngress, TraefikIngressArgs
from components.vlan import Vlan, VlanArgs
from components.wildcard_cert import WildcardCert, WildcardCertArgs

__all__ = [
    "ClusterFirewall",
    "ClusterFirewallArgs",
    "ConfigVolume",
    "ConfigVolumeArgs",
    "DnsZone",
    "DnsZoneArgs",
    "DockerHost",
    "DockerHostArgs",
    "Guest",
    "GuestArgs",
    "HostGuard",
    "HostGuardArgs",
    "IsolatedServiceStack",
    "IsolatedServiceStackArgs",
    "ProxmoxNode",
    "ProxmoxNodeArgs",
    "ServiceContainer",
    "ServiceContainerArgs",
    "StackLinks",
    "StackLinksArgs",
    "SubnetRouter",
    "SubnetRouterArgs",
    "TailnetPolicy",
    "TailnetPolicyArgs",
    "TraefikIngress",
    "TraefikIngressArgs",
    "Vlan",
    "VlanArgs",
    "WildcardCert",
    "WildcardCertArgs",
]
