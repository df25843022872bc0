"""Looking things up: at the sandbox's own APIs, served in this process, and at a Docker client that answers."""

import inspect
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from docker.errors import DockerException, NotFound

from cli.recovery import asking
from cli.recovery.cloudflare import CloudflareZones, is_record
from cli.recovery.docker import NEVER, DockerEngines
from cli.recovery.findings import Outcome, Unanswered
from cli.recovery.proxmox import ProxmoxCluster
from cli.recovery.state import Operation
from cli.recovery.tailscale import Tailnet
from lab.plan.records import LabPlan
from sandbox.conformance.serving import served_on_loopback
from tests.support.plans import plan_of

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "pulumi@pve!sandbox=secret-of-the-token"


@pytest.fixture(scope="module")
def plan() -> LabPlan:
    """The plan of the dev lab."""
    return plan_of(ROOT / "Pulumi.dev.yaml")


def operation(
    type_: str, inputs: dict[str, Any], *, provider: str = "docker-1", taken: tuple[str, ...] = ()
) -> Operation:
    """A pending create."""
    resource = {
        "urn": f"urn:pulumi:dev::homelab::{type_}::it",
        "type": type_,
        "custom": True,
        "inputs": inputs,
        "provider": f"urn:pulumi:dev::homelab::pulumi:providers:docker::{provider}::1",
    }
    return Operation(kind="creating", resource=resource, taken=frozenset(taken))


class Engine:
    """A Docker client that has these things."""

    def __init__(self, **things: Any) -> None:
        self._things = things

    def networks(self, names: list[str]) -> list[dict[str, Any]]:
        """As the engine filters: whatever contains the name."""
        return [n for n in self._things.get("networks", []) if names[0] in n["Name"]]

    def inspect_volume(self, name: str) -> dict[str, Any]:
        """A volume, or NotFound."""
        return self._one("volumes", name)

    def inspect_container(self, name: str) -> dict[str, Any]:
        """A container, or NotFound."""
        return self._one("containers", name)

    def _one(self, kind: str, name: str) -> dict[str, Any]:
        if name not in self._things.get(kind, {}):
            raise NotFound(f"no such thing: {name}")
        found: dict[str, Any] = self._things[kind][name]
        return found


def engines(plan: LabPlan, **things: Any) -> DockerEngines:
    """The engines of a plan, each of which has these things."""
    return DockerEngines(plan, open_engine=lambda _: Engine(**things))


def container(*, started: str = "2026-01-01T00:00:00Z", image: str = "sha256:1") -> dict[str, Any]:
    """What inspecting a container gives."""
    return {
        "Id": "c1",
        "Image": image,
        "Config": {"Labels": {"homelab.endpoint": "service:a/b"}, "Image": image},
        "State": {"StartedAt": started},
    }


SEEN = web.AppKey("seen", list)
CONTAINER = {
    "name": "a-b",
    "image": "sha256:1",
    "labels": [{"label": "homelab.endpoint", "value": "service:a/b"}],
}
NETWORK = {"name": "net", "labels": [{"label": "homelab.purpose", "value": "private"}]}


def test_a_network_is_found_by_its_whole_name(plan: LabPlan) -> None:
    """A network whose name merely contains it is another one."""
    there = [
        {"Name": "net-2", "Id": "n2", "Labels": {"homelab.purpose": "private"}},
        {"Name": "net", "Id": "n1", "Labels": {"homelab.purpose": "private"}},
    ]
    asked = operation("docker:index/network:Network", NETWORK)

    assert engines(plan, networks=there).find(asked).id == "n1"
    assert engines(plan, networks=there[:1]).find(asked).outcome is Outcome.absent
    assert (
        engines(plan, networks=there).find(replace(asked, taken=frozenset({"n1"}))).outcome is Outcome.absent
    )


def test_somebody_elses_network_is_not_taken_over(plan: LabPlan) -> None:
    """Without the lab's labels a person has to decide, and is told what to do."""
    there = [{"Name": "net", "Id": "n1", "Labels": {}}]
    finding = engines(plan, networks=there).find(operation("docker:index/network:Network", NETWORK))

    assert finding.outcome is Outcome.undecided
    assert "docker network rm net" in finding.note


def test_two_networks_of_one_name_need_a_person(plan: LabPlan) -> None:
    """Docker allows it; which of them is the lab's cannot be told."""
    there = [{"Name": "net", "Id": f"n{i}", "Labels": {"homelab.purpose": "private"}} for i in (1, 2)]
    finding = engines(plan, networks=there).find(operation("docker:index/network:Network", NETWORK))

    assert finding.outcome is Outcome.undecided


@pytest.mark.parametrize(
    ("found", "more", "outcome"),
    [
        (container(), {}, Outcome.exists),
        (container(started=NEVER), {}, Outcome.incomplete),
        (container(started=NEVER), {"start": False}, Outcome.incomplete),
        (container(image="sha256:2"), {}, Outcome.undecided),
        (None, {}, Outcome.absent),
    ],
)
def test_a_container_is_whole_when_it_was_started(
    plan: LabPlan, found: dict[str, Any] | None, more: dict[str, Any], outcome: Outcome
) -> None:
    """Starting is the last thing; one that is never started may lack its files and is made anew."""
    things = {"a-b": found} if found else {}
    asked = operation("docker:index/container:Container", CONTAINER | more)

    assert engines(plan, containers=things).find(asked).outcome is outcome


def test_an_engine_that_does_not_answer_is_no_absence(plan: LabPlan) -> None:
    """The error names the host and what to do."""

    def refuse(_: str) -> Any:
        raise DockerException("connection refused")

    silent = DockerEngines(plan, open_engine=refuse, patience=0)
    with pytest.raises(Unanswered, match=r"docker-1 does not answer .* run it again"):
        silent.find(operation("docker:index/network:Network", NETWORK))


def answering(answers: dict[str, Any]) -> web.Application:
    """An API that gives these documents by path, and refuses everything else, with the methods it saw."""
    seen: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request.method)
        if request.path not in answers:
            return web.json_response({"no": request.path}, status=404)
        return web.json_response(answers[request.path])

    app = web.Application()
    app.router.add_route("*", "/{any:.*}", answer)
    app[SEEN] = seen
    return app


PVE = "/api2/json"
GUESTS = f"{PVE}/cluster/resources"


@pytest.fixture
def cluster() -> Iterator[ProxmoxCluster]:
    """A cluster with one guest, one alias and a bridge that is written and not active."""
    app = answering(
        {
            GUESTS: {"data": [{"vmid": 201, "name": "docker-1", "node": "pve-a", "type": "qemu"}]},
            f"{PVE}/nodes/pve-a/tasks": {
                "data": [{"type": "vzdump", "user": "root@pam", "status": "RUNNING"}]
            },
            f"{PVE}/cluster/firewall/aliases": {"data": [{"name": "dev-vlan-iot"}]},
            f"{PVE}/nodes/pve-a/network": {"data": [{"iface": "vmbr1"}]},
            f"{PVE}/nodes/pve-a/qemu/201/firewall/rules": {"data": []},
        }
    )
    with served_on_loopback(app) as address:
        yield ProxmoxCluster(address, TOKEN)


@pytest.mark.parametrize(
    ("type_", "inputs", "outcome", "id"),
    [
        (
            "index/vmLegacy:VmLegacy",
            {"vmId": 201.0, "nodeName": "pve-a", "name": "docker-1"},
            "exists",
            "201",
        ),
        ("index/vmLegacy:VmLegacy", {"vmId": 202, "nodeName": "pve-a", "name": "edge"}, "never happened", ""),
        (
            "index/vmLegacy:VmLegacy",
            {"vmId": 201, "nodeName": "pve-a", "name": "nas"},
            "a person decides",
            "",
        ),
        ("index/containerLegacy:ContainerLegacy", {"vmId": 201, "nodeName": "pve-a"}, "a person decides", ""),
        ("firewall/aliasLegacy:AliasLegacy", {"name": "dev-vlan-iot"}, "exists", "dev-vlan-iot"),
        ("firewall/aliasLegacy:AliasLegacy", {"name": "dev-vlan-dmz"}, "never happened", ""),
        ("firewall/rulesLegacy:RulesLegacy", {"nodeName": "pve-a", "vmId": 201}, "never happened", ""),
        (
            "network/linux/bridge:Bridge",
            {"nodeName": "pve-a", "name": "vmbr1"},
            "exists, incomplete",
            "pve-a:vmbr1",
        ),
        ("index/dnsLegacy:DnsLegacy", {"nodeName": "pve-a"}, "harmless", ""),
        ("storage/nfs:Nfs", {"name": "x"}, "a person decides", ""),
    ],
)
def test_proxmox_objects(
    cluster: ProxmoxCluster, type_: str, inputs: dict[str, Any], outcome: str, id: str
) -> None:
    """Each is found by what names it; a guest of another name or kind is never taken over."""
    finding = cluster.find(operation(f"proxmoxve:{type_}", inputs))

    assert (str(finding.outcome), finding.id) == (outcome, id)


def test_a_refusal_names_the_question_and_not_the_token() -> None:
    """An API that refuses is not an absence; the error says where and how to go on, and shows no secret."""
    with served_on_loopback(answering({})) as address, pytest.raises(Unanswered) as caught:
        ProxmoxCluster(address, TOKEN).find(
            operation("proxmoxve:firewall/aliasLegacy:AliasLegacy", {"name": "a"})
        )

    assert "GET cluster/firewall/aliases: HTTP 404" in str(caught.value)
    assert "LAB_CONNECTION_PROXMOX" in str(caught.value)
    assert "secret-of-the-token" not in str(caught.value)


def test_records_are_told_apart_by_content_and_data() -> None:
    """The two CAA records of one name differ only in their tag; numbers may come as text."""
    issue = {"type": "CAA", "name": "lab.example", "data": {"flags": "0", "tag": "issue", "value": "ca"}}
    wanted = {"type": "CAA", "name": "Lab.example", "data": {"flags": 0.0, "tag": "issue", "value": "ca"}}
    other = wanted | {"data": {"flags": 0, "tag": "issuewild", "value": "ca"}}
    address = {"type": "A", "name": "a.lab.example", "content": "10.0.0.1"}

    assert is_record(issue, wanted)
    assert not is_record(issue, other)
    assert is_record(address, address)
    assert not is_record(address, address | {"content": "10.0.0.2"})


def test_a_record_of_the_state_is_not_found_again() -> None:
    """It belongs to another resource."""
    record = {"id": "r1", "type": "A", "name": "a.lab.example", "content": "10.0.0.1"}
    asked = operation("cloudflare:index/dnsRecord:DnsRecord", {**record, "zoneId": "z"})
    with served_on_loopback(answering({"/zones/z/dns_records": {"result": [record]}})) as address:
        zones = CloudflareZones(address, "t", _no_maker)

        assert zones.find(asked).id == "r1"
        assert zones.find(replace(asked, taken=frozenset({"r1"}))).outcome is Outcome.absent


def _no_maker() -> str:
    raise AssertionError("records are looked up with the token of the zone")


def test_a_lost_key_is_replaced() -> None:
    """Its secret died with the engine; keys of the state, and revoked ones, are not it."""
    keys = {
        "k1": {"id": "k1", "description": "homelab docker-1"},
        "k2": {"id": "k2", "description": "homelab docker-1"},
        "k3": {"id": "k3", "description": "homelab docker-1", "invalid": True},
    }
    answers: dict[str, Any] = {f"/api/v2/tailnet/-/keys/{id}": key for id, key in keys.items()}
    answers["/api/v2/tailnet/-/keys"] = {"keys": [{"id": id} for id in keys]}
    asked = operation(
        "tailscale:index/tailnetKey:TailnetKey", {"description": "homelab docker-1"}, taken=("k1",)
    )
    with served_on_loopback(answering(answers)) as address:
        found = Tailnet(address, "t").find(asked)
        gone = Tailnet(address, "t").find(replace(asked, taken=frozenset({"k1", "k2"})))

    assert (found.outcome, found.id) == (Outcome.incomplete, "k2")
    assert gone.outcome is Outcome.absent


@pytest.mark.parametrize("allowed", [True, False])
def test_a_policy_is_written_again(allowed: bool) -> None:
    """Also over the default of a new tailnet: the program reads the policy in force first, and knows its own seal."""
    asked = operation("tailscale:index/acl:Acl", {"acl": "{}", "overwriteExistingContent": allowed})
    assert Tailnet("http://127.0.0.1:9", "key").find(asked).outcome is Outcome.repeated


def test_apis_are_only_read() -> None:
    """Recovery changes no outside, the sandbox's neither: its one way to ask has no other method than GET."""
    app = answering({"/a": {}})
    with served_on_loopback(app) as address:
        asking.JsonApi(name="x", address=address, authorization="t").get("a")

    assert app[SEEN] == ["GET"]
    public = [name for name, _ in inspect.getmembers(asking.JsonApi, inspect.isfunction) if name[0] != "_"]
    assert public == ["get"]
