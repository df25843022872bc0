"""Small changes to a plan, beside those of its guards, that no lab file could say."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from ipaddress import IPv4Network
from typing import Any

from lab.plan.records import AttachmentPlan, LabPlan, RulePlan, ServicePlan
from tests.evidence.leaks.leak import Plant


def guest_rule(guest: str, because: str, **changes: Any) -> Plant:
    """A rule of a guest's Proxmox firewall, changed."""

    def plant(plan: LabPlan) -> LabPlan:
        guests = tuple(
            replace(part, rules=_changed(part.rules, because, changes)) if part.name == guest else part
            for part in plan.guests
        )
        return replace(plan, guests=guests)

    return plant


def node_rule(node: str, because: str, **changes: Any) -> Plant:
    """A rule of a node's own Proxmox firewall, changed."""

    def plant(plan: LabPlan) -> LabPlan:
        nodes = tuple(
            replace(part, rules=_changed(part.rules, because, changes)) if part.name == node else part
            for part in plan.nodes
        )
        return replace(plan, nodes=nodes)

    return plant


def vlan_rule(vlan: str, because: str, **changes: Any) -> Plant:
    """A rule of the Proxmox firewall of a whole segment, changed."""

    def plant(plan: LabPlan) -> LabPlan:
        vlans = tuple(
            replace(part, rules=_changed(part.rules, because, changes)) if part.name == vlan else part
            for part in plan.vlans
        )
        return replace(plan, vlans=vlans)

    return plant


def _changed(rules: tuple[RulePlan, ...], because: str, changes: Mapping[str, Any]) -> tuple[RulePlan, ...]:
    changed = tuple(replace(rule, **changes) if rule.comment == because else rule for rule in rules)
    assert changed != rules, f"no rule is changed because: {because}"
    return changed


def open_guest_rule(guest: str, **fields: Any) -> Plant:
    """One more rule of a guest's Proxmox firewall."""

    def plant(plan: LabPlan) -> LabPlan:
        assert any(part.name == guest for part in plan.guests)
        guests = tuple(
            replace(part, rules=(*part.rules, RulePlan(**fields, comment="planted")))
            if part.name == guest
            else part
            for part in plan.guests
        )
        return replace(plan, guests=guests)

    return plant


def grant(**changes: Any) -> Plant:
    """The one grant of the tailnet's policy, changed."""

    def plant(plan: LabPlan) -> LabPlan:
        assert plan.tailnet is not None
        (found,) = plan.tailnet.grants
        return replace(plan, tailnet=replace(plan.tailnet, grants=(replace(found, **changes),)))

    return plant


def approved(*routes: str) -> Plant:
    """The policy approves these routes of the tailnet and no others; the grant is for every port."""

    def plant(plan: LabPlan) -> LabPlan:
        assert plan.tailnet is not None
        assert set(plan.tailnet.routes) != set(routes)
        (tag,) = plan.tailnet.tags
        tailnet = replace(plan.tailnet, routes=dict.fromkeys(routes, tag))
        return grant(ports=("*",))(replace(plan, tailnet=tailnet))

    return plant


def network(name: str, **changes: Any) -> Plant:
    """A Docker network of a stack, changed."""

    def plant(plan: LabPlan) -> LabPlan:
        stacks = tuple(
            replace(
                stack,
                networks=tuple(replace(n, **changes) if n.name == name else n for n in stack.networks),
            )
            for stack in plan.stacks
        )
        assert stacks != plan.stacks, f"network {name} is as it was"
        return replace(plan, stacks=stacks)

    return plant


def attached(service: str, name: str) -> Plant:
    """A service in one more network, at its last address."""

    def plant(plan: LabPlan) -> LabPlan:
        subnet = next(n.subnet for stack in plan.stacks for n in stack.networks if n.name == name)
        added = AttachmentPlan(network=name, address=str(IPv4Network(subnet)[-2]))
        return service_changed(service, lambda part: replace(part, attachments=(*part.attachments, added)))(
            plan
        )

    return plant


def detached(service: str) -> Plant:
    """A service without any network."""
    return service_changed(service, lambda part: replace(part, attachments=()))


def published_on(service: str, address: str) -> Plant:
    """A service whose ports are published on another address of its host."""
    return service_changed(
        service,
        lambda part: replace(part, published=tuple(replace(p, address=address) for p in part.published)),
    )


def service_changed(service: str, change: Callable[[ServicePlan], ServicePlan]) -> Plant:
    """A service of a stack, changed."""

    def plant(plan: LabPlan) -> LabPlan:
        stacks = tuple(
            replace(
                stack,
                services=tuple(change(s) if s.endpoint.name == service else s for s in stack.services),
            )
            for stack in plan.stacks
        )
        assert stacks != plan.stacks, f"service {service} is as it was"
        return replace(plan, stacks=stacks)

    return plant


def nic(guest: str, **changes: Any) -> Plant:
    """The first interface of a guest, changed."""

    def plant(plan: LabPlan) -> LabPlan:
        guests = tuple(
            replace(part, nics=(replace(part.nics[0], **changes), *part.nics[1:]))
            if part.name == guest
            else part
            for part in plan.guests
        )
        assert guests != plan.guests
        return replace(plan, guests=guests)

    return plant
