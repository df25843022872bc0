"""The guard of each Docker host: its packet filter, derived from the flows.

Docker's bridges alone do not isolate (docs/threat-model.md): a container reaches its
neighbours, its host, what the host publishes, and the segment. So each host on which
something is created has a filter of its own that accepts what a flow permits and drops
everything else that its containers send or are sent.
"""

import itertools
from collections.abc import Iterator

from lab.flows import Endpoint, Flow, Port
from lab.plan.containers import FILES, GUARD_STACK
from lab.plan.directory import INGRESS, INTERNET, Container, Directory
from lab.plan.records import (
    ANYWHERE,
    FilePlan,
    GuardPlan,
    GuardRule,
    HealthPlan,
    NetworkPlan,
    PublishedPort,
    ServicePlan,
)

RULES_FILE = f"{FILES}/guard.nft"
TAILNET = "100.64.0.0/10"
"""The addresses of the tailnet's devices (Tailscale, after RFC 6598)."""
_HOST_ROOT = "/host"
_CHECK_SECONDS = 3

_Found = tuple[str, GuardRule]
"""A Docker host and a rule of it."""


def plan_guards(directory: Directory) -> tuple[GuardPlan, ...]:
    """The guard of every host on which a container is created."""
    hosts = sorted({c.host for c in directory.containers.values() if c.managed} & set(directory.hosts))
    rules: dict[str, dict[GuardRule, None]] = {host: {} for host in hosts}
    for flow in directory.plan.flows:
        for host, rule in _rules(directory, flow):
            if host in rules:
                rules[host].setdefault(rule)
    bridges = _bridges(directory)
    return tuple(
        GuardPlan(
            host=host,
            bridges=dict(sorted(bridges.get(host, {}).items())),
            published=_published(directory, host),
            rules=tuple(sorted(rules[host], key=_order)),
            rules_file=RULES_FILE,
            service=guard_service(host, directory.hosts[host].loader_image),
        )
        for host in hosts
    )


def guard_service(host: str, image: str) -> ServicePlan:
    """The container that loads the rules of a host, and loads them again should they be gone.

    It uses the host's own `nft`, so that the program fits the kernel and no further image has to be trusted.
    Its health is the answer to "are exactly these rules in force": the name of a chain in them is their digest.
    """
    return ServicePlan(
        name=GUARD_STACK,
        image=image,
        endpoint=Endpoint("service", f"{GUARD_STACK}/{host}"),
        command=("sh", f"{FILES}/guard.sh"),
        files=(FilePlan(path=f"{FILES}/guard.sh", content=_SCRIPT),),
        binds={"/": _HOST_ROOT},
        user="0",
        capabilities=("CAP_NET_ADMIN", "CAP_SYS_CHROOT"),
        read_only=True,
        host_network=True,
        health=HealthPlan(command=("sh", f"{FILES}/guard.sh", "check"), interval=_CHECK_SECONDS, retries=2),
        stop_grace=1,
        description="loads the packet filter of its host; it is root there",
    )


_SCRIPT = f"""\
#!/bin/sh
# Loads the guard of this Docker host in one transaction, and again whenever it is gone. With "check": says
# whether exactly these rules are in force.
rules={RULES_FILE}
version=$(sed -n 's/^# version: //p' "$rules")
nft() {{ chroot {_HOST_ROOT} /usr/sbin/nft "$@"; }}
in_force() {{
  if [ "$(cat /proc/sys/net/bridge/bridge-nf-call-iptables 2>/dev/null)" != 1 ]; then
    echo "net.bridge.bridge-nf-call-iptables is not 1 on this host, so no rule sees what containers of one" \\
      "network send each other; load br_netfilter and set it (lab bootstrap does both)" >&2
    return 1
  fi
  nft list chain inet homelab "version-$version" >/dev/null
}}
if [ "$1" = check ]; then in_force; exit; fi
trap 'exit 0' TERM INT
nft -f - <"$rules" || exit 1
while true; do
  sleep {_CHECK_SECONDS} & wait $!
  nft list chain inet homelab "version-$version" >/dev/null 2>&1 || nft -f - <"$rules"
done
"""


def _bridges(directory: Directory) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    stacks = directory.plan.stacks
    foreign = {(s.host, network.name) for s in stacks if not s.managed for network in s.networks}
    foreign |= {(r.host, r.network.name) for r in directory.plan.subnet_routers if not r.managed}
    for (host, name), network in directory.networks.items():
        if (host, name) not in foreign:
            found.setdefault(host, {})[network.interface] = name
    return found


def _published(directory: Directory, host: str) -> tuple[tuple[str, Port], ...]:
    """The ports of a host that lead to its managed containers."""
    found = {
        (published.address, Port(published.external, published.protocol))
        for container in directory.containers.values()
        if container.host == host and container.managed
        for published in container.service.published
    }
    return tuple(sorted(found))


def _order(rule: GuardRule) -> tuple[str, str, str, str, Port, str]:
    port = rule.port or Port(0)
    return rule.way, rule.interface, rule.source, rule.destination, port, rule.because


def _rules(directory: Directory, flow: Flow) -> Iterator[_Found]:
    for source, target in itertools.product(
        directory.members(flow.source), directory.members(flow.target.endpoint)
    ):
        if source == target:
            # A member of a set that may reach the set: its packets to itself cross no bridge.
            continue
        container = directory.containers.get(source)
        if container is not None:
            yield from _from_container(directory, container, target, flow)
        if (aim := directory.containers.get(target)) is not None:
            yield from _to_published(directory, source, aim, flow)
        if source.kind == "tailnet":
            yield from _through_routers(directory, target, flow)


def _from_container(
    directory: Directory, source: Container, target: Endpoint, flow: Flow
) -> Iterator[_Found]:
    """The rules on the source's own host."""
    aim = directory.containers.get(target)
    if aim is not None and aim.host == source.host and not aim.service.host_network:
        shared = list(_within(directory, source, aim, flow))
        yield from shared
        if not shared or target == INGRESS:
            # The ingress is found by its public names too, which lead to the host.
            yield from _to_host(directory, source, aim, flow)
    elif aim is not None:
        for port in _ports_at_host(aim, flow.target.port):
            yield from _leaving(directory, source, directory.addresses(target), port, flow)
    elif target == INTERNET:
        yield from _leaving(directory, source, (ANYWHERE,), flow.target.port, flow)
    elif target.kind != "tailnet":
        yield from _leaving(directory, source, directory.addresses(target), flow.target.port, flow)


def _within(directory: Directory, source: Container, target: Container, flow: Flow) -> Iterator[_Found]:
    theirs = {a.network: a.address for a in target.service.attachments}
    for attachment in source.service.attachments:
        if attachment.network in theirs:
            network = directory.networks[source.host, attachment.network]
            yield (
                source.host,
                GuardRule(
                    way="within",
                    interface=network.interface,
                    source=attachment.address,
                    destination=theirs[attachment.network],
                    port=flow.target.port,
                    because=flow.because,
                ),
            )


def _to_host(directory: Directory, source: Container, target: Container, flow: Flow) -> Iterator[_Found]:
    """A service of one host that shares no network is reached at the port that it publishes there."""
    for published in target.published_as(flow.target.port):
        port = Port(published.external, published.protocol)
        yield from _leaving(directory, source, (published.address,), port, flow)


def _ports_at_host(target: Container, port: Port | None) -> tuple[Port | None, ...]:
    if target.service.host_network:
        return (port,)
    return tuple(Port(p.external, p.protocol) for p in target.published_as(port))


def _leaving(
    directory: Directory,
    source: Container,
    destinations: tuple[str, ...],
    port: Port | None,
    flow: Flow,
) -> Iterator[_Found]:
    own = directory.machines.get(source.host, ())
    for network, address in _ways_out(directory, source):
        for destination in destinations:
            yield (
                source.host,
                GuardRule(
                    way="local" if destination in own else "out",
                    interface=network.interface,
                    source=address,
                    destination=destination,
                    port=port,
                    because=flow.because,
                ),
            )


def _ways_out(directory: Directory, source: Container) -> Iterator[tuple[NetworkPlan, str]]:
    for attachment in source.service.attachments:
        network = directory.networks[source.host, attachment.network]
        if not network.internal:
            yield network, attachment.address


def _to_published(directory: Directory, source: Endpoint, target: Container, flow: Flow) -> Iterator[_Found]:
    """The rules on the target's host for whoever comes from outside of it."""
    if target.service.host_network:
        return
    for published in target.published_as(flow.target.port):
        for address in _arriving(directory, source, target, published):
            yield (
                target.host,
                GuardRule(
                    way="in",
                    source=address,
                    destination=published.address,
                    port=Port(published.external, published.protocol),
                    because=flow.because,
                ),
            )


def _arriving(
    directory: Directory, source: Endpoint, target: Container, published: PublishedPort
) -> Iterator[str]:
    """The addresses under which a source's packets arrive at a port of a target's host."""
    own = directory.machines.get(target.host, ())
    entry = Port(published.internal, published.protocol) if target.service.endpoint == INGRESS else None
    for address in directory.senders(source, entry):
        if address not in own:
            yield address or ANYWHERE
        elif source.kind == "tailnet" and Endpoint("guest", target.host) in directory.routers:
            # The host is the subnet router itself: what comes out of the tunnel has the user's own address.
            yield TAILNET


def _through_routers(directory: Directory, target: Endpoint, flow: Flow) -> Iterator[_Found]:
    """A subnet router in a container forwards what comes from the tailnet, under its own address."""
    for endpoint in directory.routers:
        router = directory.containers.get(endpoint)
        if router is not None:
            yield from _from_container(directory, router, target, flow)
