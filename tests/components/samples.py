"""One of each component, as a test or an example of its arguments."""

from collections.abc import Callable

import pulumi

import components as c
from tests.components import records as r


def secret() -> pulumi.Output[str]:
    """A value that must not be seen anywhere."""
    return pulumi.Output.secret(r.CANARY)


SAMPLES: dict[str, Callable[[str], pulumi.ComponentResource]] = {
    "ClusterFirewall": lambda name: c.ClusterFirewall(
        name, c.ClusterFirewallArgs(management=("10.10.10.5", "10.10.10.11"))
    ),
    "ConfigVolume": lambda name: c.ConfigVolume(
        name,
        c.ConfigVolumeArgs(
            host=r.engine(f"{name}-host"),
            volume=name,
            mount="/run/homelab/x",
            files={"/run/homelab/x/a": secret()},
        ),
    ),
    "DnsZone": lambda name: c.DnsZone(name, c.DnsZoneArgs(dns=r.DNS)),
    "DockerHost": lambda name: c.DockerHost(name, c.DockerHostArgs(host=r.HOST)),
    "Guest": lambda name: c.Guest(name, c.GuestArgs(guest=r.VM)),
    "HostGuard": lambda name: c.HostGuard(
        name, c.HostGuardArgs(guard=r.GUARD, host=r.engine(f"{name}-host"))
    ),
    "IsolatedServiceStack": lambda name: c.IsolatedServiceStack(
        name,
        c.IsolatedServiceStackArgs(
            stack=r.stack_with(secret_files=(r.SECRET_FILE,)),
            host=r.engine(f"{name}-host"),
            secrets={"token": secret()},
        ),
    ),
    "ProxmoxNode": lambda name: c.ProxmoxNode(name, c.ProxmoxNodeArgs(node=r.NODE)),
    "ServiceContainer": lambda name: c.ServiceContainer(
        name,
        c.ServiceContainerArgs(
            service=r.SERVICE,
            host=r.engine(f"{name}-host"),
            container=name,
            networks={"vnet-web": "vnet-web"},
        ),
    ),
    "StackLinks": lambda name: c.StackLinks(
        name, c.StackLinksArgs(networks=(r.NETWORK,), host=r.engine(f"{name}-host"))
    ),
    "SubnetRouter": lambda name: c.SubnetRouter(
        name, c.SubnetRouterArgs(router=r.ROUTER, host=r.engine(f"{name}-host"))
    ),
    "TailnetPolicy": lambda name: c.TailnetPolicy(name, c.TailnetPolicyArgs(tailnet=r.TAILNET)),
    "TraefikIngress": lambda name: c.TraefikIngress(
        name,
        c.TraefikIngressArgs(
            ingress=r.INGRESS, host=r.engine(f"{name}-host"), certificate=r.CERTIFICATE, dns_token=secret()
        ),
    ),
    "Vlan": lambda name: c.Vlan(name, c.VlanArgs(vlan=r.VLAN)),
    "WildcardCert": lambda name: c.WildcardCert(
        name, c.WildcardCertArgs(certificate=r.CERTIFICATE, dns_token=secret())
    ),
}
