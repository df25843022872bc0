"""Small changes to the guards of a plan that no lab file could say."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lab.plan.directory import Directory
from lab.plan.records import GuardRule, LabPlan
from tests.evidence.leaks.leak import Plant


def no_guards(plan: LabPlan) -> LabPlan:
    """Nothing guards any host."""
    assert plan.guards
    return replace(plan, guards=())


def rule_changed(because: str, only: str = "", **changes: Any) -> Plant:
    """The one guard rule of some reason (and way, if given), changed; addresses may be those of services by name."""

    def plant(plan: LabPlan) -> LabPlan:
        rules = [rule for guard in plan.guards for rule in guard.rules if rule.because == because]
        found = [rule for rule in rules if only in ("", rule.way)]
        assert len(found) == 1, f"{len(found)} guard rules because: {because}"
        changed = replace(found[0], **_resolved(plan, found[0].interface, changes))
        assert changed != found[0]
        return _with_rules(plan, {found[0]: changed})

    return plant


def rule_added(because: str, **changes: Any) -> Plant:
    """A guard rule beside that of some reason, which it equals in all but the changes."""

    def plant(plan: LabPlan) -> LabPlan:
        found = next(rule for guard in plan.guards for rule in guard.rules if rule.because == because)
        added = replace(found, **_resolved(plan, found.interface, changes), because="planted")
        guards = tuple(
            replace(guard, rules=(*guard.rules, added)) if found in guard.rules else guard
            for guard in plan.guards
        )
        return replace(plan, guards=guards)

    return plant


def rule_for(service: str, network: str, **fields: Any) -> Plant:
    """A guard rule about what a service sends by one of its networks."""

    def plant(plan: LabPlan) -> LabPlan:
        container = next(c for e, c in Directory(plan).containers.items() if e.name == service)
        interface = Directory(plan).networks[container.host, network].interface
        source = next(a.address for a in container.service.attachments if a.network == network)
        rule = GuardRule(
            interface=interface, source=source, because="planted", **_resolved(plan, interface, fields)
        )
        assert any(guard.host == container.host for guard in plan.guards)
        guards = tuple(
            replace(guard, rules=(*guard.rules, rule)) if guard.host == container.host else guard
            for guard in plan.guards
        )
        return replace(plan, guards=guards)

    return plant


def let_in(host: str, **fields: Any) -> Plant:
    """A guard rule for what comes in from elsewhere, which names no address of its host."""

    def plant(plan: LabPlan) -> LabPlan:
        assert any(guard.host == host for guard in plan.guards)
        rule = GuardRule(way="in", because="planted", **fields)
        guards = tuple(
            replace(guard, rules=(*guard.rules, rule)) if guard.host == host else guard
            for guard in plan.guards
        )
        return replace(plan, guards=guards)

    return plant


def _resolved(plan: LabPlan, interface: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of a rule with addresses in place of services: `wiki/app` on the rule's bridge, `wiki/app@network`."""
    directory = Directory(plan)
    names = {network.name for network in directory.networks.values() if network.interface == interface}
    addresses = {
        endpoint.name: attachment.address
        for endpoint, container in directory.containers.items()
        for attachment in container.service.attachments
        if attachment.network in names
    }
    addresses |= {
        f"{endpoint.name}@{attachment.network}": attachment.address
        for endpoint, container in directory.containers.items()
        for attachment in container.service.attachments
    }
    return {key: addresses.get(value, value) if value else value for key, value in fields.items()}


def _with_rules(plan: LabPlan, changed: Mapping[GuardRule, GuardRule]) -> LabPlan:
    return replace(
        plan,
        guards=tuple(
            replace(guard, rules=tuple(changed.get(rule, rule) for rule in guard.rules))
            for guard in plan.guards
        ),
    )


def unguarded(network: str) -> Plant:
    """The guard of a host does not know one of its networks."""

    def plant(plan: LabPlan) -> LabPlan:
        found = [guard for guard in plan.guards if network in guard.bridges.values()]
        assert found, f"no guard has {network}"
        guards = tuple(
            replace(guard, bridges={k: name for k, name in guard.bridges.items() if name != network})
            for guard in plan.guards
        )
        return replace(plan, guards=guards)

    return plant


def both(first: Plant, second: Plant) -> Plant:
    """Two changes of which neither is a leak alone."""
    return lambda plan: second(first(plan))
