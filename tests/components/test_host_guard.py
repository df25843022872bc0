"""The guard of a host: one container, what it may do, and what another rule replaces."""

from dataclasses import replace

import pulumi

import components as c
from lab.flows import Port
from lab.plan.records import GuardPlan
from lab.render.guard import guard_text
from tests.components import records as r
from tests.support.engine import Recording, Registration, record

NAME = "docker-1-guard"
OTHER = replace(r.GUARD, rules=(replace(r.GUARD.rules[0], port=Port(5433)),))


def registered(guard: GuardPlan = r.GUARD) -> Recording:
    """The guard on its host."""
    return record(lambda: c.HostGuard(NAME, c.HostGuardArgs(guard=guard, host=r.engine())))


def container() -> Registration:
    """The guard's container."""
    return registered().one("Container", NAME)


def test_it_may_change_packet_filters_and_enter_the_hosts_files() -> None:
    """Two capabilities and no more, no new privileges, root inside, and not privileged."""
    inputs = container().inputs
    assert inputs["capabilities"] == {"adds": ["CAP_NET_ADMIN", "CAP_SYS_CHROOT"], "drops": ["ALL"]}
    assert inputs["securityOpts"] == ["no-new-privileges:true"]
    assert inputs["user"] == "0"
    assert "privileged" not in inputs


def test_it_is_on_the_hosts_network_and_on_no_other() -> None:
    """Rules are those of a network namespace, so it is in the host's; it publishes and joins nothing."""
    inputs = container().inputs
    assert inputs["networkMode"] == "host"
    assert "networksAdvanced" not in inputs
    assert "ports" not in inputs
    assert "pidMode" not in inputs


def test_it_changes_no_file() -> None:
    """Its own root, the host's root and the volume with its rules are all read-only."""
    inputs = container().inputs
    assert inputs["readOnly"] is True
    assert [(m["target"], m["type"], m["source"], m["readOnly"]) for m in inputs["mounts"]] == [
        ("/host", "bind", "/", True),
        ("/run/homelab/files", "volume", registered().one("Volume").inputs["name"], True),
    ]


def test_its_creation_waits_until_the_rules_are_in_force() -> None:
    """The engine asks every few seconds, and the update goes on when the answer is yes."""
    inputs = container().inputs
    assert inputs["wait"] is True
    assert inputs["healthcheck"] == {
        "tests": ["CMD", "sh", "/run/homelab/files/guard.sh", "check"],
        "interval": "3s",
        "timeout": "3s",
        "retries": 2,
    }
    assert inputs["command"] == ["sh", "/run/homelab/files/guard.sh"]
    assert inputs["restart"] == "unless-stopped"


def test_other_containers_are_not_waited_for() -> None:
    """A service that is slow to be well does not hold up an update."""

    def program() -> None:
        args = c.ServiceContainerArgs(
            service=r.SERVICE, host=r.engine(), container="x", networks={"vnet-web": "x"}
        )
        c.ServiceContainer("x", args)

    assert "wait" not in record(program).one("Container", "x").inputs


def test_it_reads_what_was_rendered() -> None:
    """The loader carries the script of the record and the file for nft, to where the script looks for it."""
    uploads = registered().one("Container", f"{NAME}-files-loader").inputs["uploads"]
    assert {part["file"]: part["content"] for part in uploads} == {
        "/run/homelab/files/guard.nft": guard_text(r.GUARD),
        "/run/homelab/files/guard.sh": r.GUARD.service.files[0].content,
    }


def test_another_rule_replaces_the_guard_and_nothing_else() -> None:
    """New rules are another upload of the loader, and the container that reads it goes with it."""
    before, after = registered(), registered(OTHER)
    assert before.urns() == after.urns()
    changed = [found.name for found in before.resources if after.one(found.type, found.name) != found]
    assert changed == [f"{NAME}-files-loader"]
    assert container().replace_with == (before.one("Container", f"{NAME}-files-loader").urn,)
    assert container().delete_before_replace is True


def test_what_runs_on_the_host_may_depend_on_it() -> None:
    """Who depends on the guard depends on its container, which is created when the rules are in force."""

    def program() -> None:
        host = r.engine()
        guard = c.HostGuard(NAME, c.HostGuardArgs(guard=r.GUARD, host=host))
        args = c.IsolatedServiceStackArgs(stack=r.STACK, host=host)
        c.IsolatedServiceStack("docker-1-web", args, pulumi.ResourceOptions(depends_on=[guard]))

    recording = record(program)
    stack = recording.one("homelab:index:IsolatedServiceStack")
    assert recording.one("Container", NAME).urn in stack.depends_on
