"""How a plan's components are put together: which comes first, and what each hands on.

One function for each part of a lab, in the order of `__main__`. What is only observed
is left out here, so no component has to know the difference. The only places that know
more than one component are these.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

from components import scope
from components.cluster_firewall import ClusterFirewall, ClusterFirewallArgs
from components.dns_zone import DnsZone, DnsZoneArgs
from components.docker_host import DockerHost, DockerHostArgs
from components.guest import Guest, GuestArgs
from components.host_guard import HostGuard, HostGuardArgs
from components.isolated_service_stack import IsolatedServiceStack, IsolatedServiceStackArgs
from components.providers import Providers
from components.proxmox_node import ProxmoxNode, ProxmoxNodeArgs
from components.rendered_files import with_files
from components.scope import managed_routers
from components.stack_links import StackLinks, StackLinksArgs
from components.subnet_router import SubnetRouter, SubnetRouterArgs
from components.tailnet_policy import TailnetPolicy, TailnetPolicyArgs
from components.traefik_ingress import TraefikIngress, TraefikIngressArgs
from components.vlan import Vlan, VlanArgs
from components.wildcard_cert import WildcardCert, WildcardCertArgs
from lab.names import join
from lab.plan.records import LabPlan
from lab.render.placed import placed_files

Secrets = Mapping[str, pulumi.Input[str]]
Networks = Mapping[str, pulumi.Output[str]]


@dataclass(frozen=True, kw_only=True)
class Segments:
    """What guests are created on."""

    nodes: Mapping[str, ProxmoxNode]
    vlans: Mapping[str, Vlan]


def segments(plan: LabPlan, providers: Providers) -> Segments:
    """The nodes, and the segments that span them."""
    nodes = {
        node.name: ProxmoxNode(f"node-{node.name}", ProxmoxNodeArgs(node=node), providers.options())
        for node in plan.nodes
        if node.managed
    }
    vlans = {
        vlan.name: Vlan(
            f"vlan-{vlan.name}", VlanArgs(vlan=vlan, environment=plan.environment), providers.options()
        )
        for vlan in plan.vlans
        if vlan.managed and nodes
    }
    return Segments(nodes=nodes, vlans=vlans)


def guests(plan: LabPlan, providers: Providers, segments: Segments) -> Mapping[str, Guest]:
    """The guests, one at a time on each node, and then the cluster's firewall."""
    groups = {name: vlan.security_group for name, vlan in segments.vlans.items()}
    bridges = {node.name: node.bridge for node in plan.nodes}
    guests: dict[str, Guest] = {}
    latest: dict[str, Guest] = {}
    for guest in plan.guests:
        if not guest.managed:
            continue
        node = segments.nodes[guest.node]
        args = GuestArgs(
            guest=guest,
            bridges={bridges[guest.node]: node.bridge},
            image=node.images.get(guest.image or ""),
            security_groups=groups,
            after=latest.get(guest.node),
        )
        guests[guest.name] = latest[guest.node] = Guest(f"guest-{guest.name}", args, providers.options())
    if management := scope.management_sources(plan):
        ClusterFirewall(
            "cluster-firewall",
            ClusterFirewallArgs(management=management, after=[*segments.nodes.values(), *guests.values()]),
            providers.options(),
        )
    return guests


def docker_hosts(plan: LabPlan, guests: Mapping[str, Guest]) -> Mapping[str, DockerHost]:
    """The engines on which something is created, each after its guest."""
    return {
        host.name: DockerHost(
            host.name,
            DockerHostArgs(host=host, environment=plan.environment, machine=guests.get(host.guest or "")),
        )
        for host in scope.docker_hosts(plan)
    }


def guards(plan: LabPlan, hosts: Mapping[str, DockerHost]) -> Mapping[str, HostGuard]:
    """The packet filter of every host, before anything runs there."""
    return {
        guard.host: HostGuard(
            join(guard.host, guard.service.name), HostGuardArgs(guard=guard, host=hosts[guard.host])
        )
        for guard in plan.guards
        if guard.host in hosts
    }


def _behind(guards: Mapping[str, HostGuard], host: str) -> pulumi.ResourceOptions:
    return pulumi.ResourceOptions(depends_on=[guards[host]] if host in guards else None)


def names(plan: LabPlan, providers: Providers, secrets: Secrets) -> WildcardCert | None:
    """The public records, and the permission to sign for the lab's names."""
    if providers.cloudflare is None:
        return None
    if plan.dns.managed and plan.dns.records:
        DnsZone("dns", DnsZoneArgs(dns=plan.dns), providers.options())
    if plan.certificate is None or plan.certificate.pair is not None:
        return None
    if plan.ingress is not None and not plan.ingress.ends_tls:
        return None
    args = WildcardCertArgs(
        certificate=plan.certificate, dns_token=secrets["cloudflare-token"], maker=providers.token_maker
    )
    return WildcardCert("certificate", args, providers.options())


def tailnet(
    plan: LabPlan,
    providers: Providers,
    hosts: Mapping[str, DockerHost],
    guards: Mapping[str, HostGuard],
    *,
    overwrite: bool,
) -> None:
    """The tailnet's policy, where it is this lab's, and the routers that it approves."""
    tailnet = plan.tailnet
    policy = None
    if tailnet is not None and tailnet.managed:
        policy = TailnetPolicy(
            "tailnet", TailnetPolicyArgs(tailnet=tailnet, overwrite=overwrite), providers.options()
        )
    for router in managed_routers(plan):
        SubnetRouter(
            join(router.host, router.name),
            SubnetRouterArgs(router=router, host=hosts[router.host], policy=policy),
            pulumi.ResourceOptions.merge(providers.options(), _behind(guards, router.host)),
        )


def ingress(
    plan: LabPlan,
    hosts: Mapping[str, DockerHost],
    guards: Mapping[str, HostGuard],
    certificate: WildcardCert | None,
    secrets: Secrets,
) -> tuple[str, TraefikIngress] | None:
    """Traefik, with the name of its host; without permission to ask an authority it signs its own certificate."""
    ingress = plan.ingress
    if ingress is None or ingress.service is None:
        return None
    args = TraefikIngressArgs(
        ingress=ingress,
        host=hosts[ingress.host],
        certificate=plan.shown_certificate,
        dns_token=certificate.dns_token if certificate else None,
        secrets=secrets,
    )
    return ingress.host, TraefikIngress(join(ingress.host, "ingress"), args, _behind(guards, ingress.host))


def stacks(
    plan: LabPlan,
    hosts: Mapping[str, DockerHost],
    guards: Mapping[str, HostGuard],
    ingress: tuple[str, TraefikIngress] | None,
    secrets: Secrets,
) -> None:
    """The links between stacks, and the stacks."""
    shared: dict[str, Networks] = {ingress[0]: ingress[1].networks} if ingress else {}
    for name, host in hosts.items():
        if found := scope.links(plan, name):
            linked = StackLinks(join(name, "links"), StackLinksArgs(networks=found, host=host))
            shared[name] = {**shared.get(name, {}), **linked.networks}
    files = placed_files(plan)
    for stack in scope.managed_stacks(plan):
        args = IsolatedServiceStackArgs(
            stack=with_files(stack, files),
            host=hosts[stack.host],
            shared_networks=shared.get(stack.host, {}),
            secrets=secrets,
        )
        IsolatedServiceStack(join(stack.host, stack.name), args, _behind(guards, stack.host))
