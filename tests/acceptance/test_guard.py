"""The guard of a running lab: what an added flow touches, what a violation stops, and what sabotage comes to.

The tests of this module run in order on one clone whose lab is up.
"""

import json
import re
from typing import Any

import pytest

from lab.plan import load_plan
from lab.render.guard import guard_text
from tests.acceptance.lab import RunningLab, within

pytestmark = pytest.mark.engine

PROMTAIL, PROMETHEUS = "service:monitoring/promtail", "service:monitoring/prometheus"
NEEDS_MORE = {'needs: ["loki:3100"]': 'needs: ["loki:3100", "prometheus:9090"]'}
ROUTED_BY_ITS_NODE = {
    "router: {kind: unifi, device: gateway}": "router: {kind: node}",
    "      gateway: {vlan: management, address: 1, model: the home's router}\n": "",
}
GUARD = "docker-1-guard"
TABLE = "homelab"


def _pair(data: Any, source: str, target: str, port: str | None) -> dict[str, Any]:
    [found] = [
        pair
        for pair in data["pairs"]
        if (pair["from"], pair["to"], pair["port"], pair["protocol"]) == (source, target, port, "tcp")
    ]
    return dict(found)


@pytest.fixture(scope="module")
def probed(lab: RunningLab) -> Any:
    """What `lab verify` saw of the lab as it is declared."""
    code, seen = lab.verify()
    assert code == 0, seen
    return seen


def _rules(lab: RunningLab) -> str:
    """The guard's table as the kernel has it; Docker's own tables count packets and never look the same twice."""
    return lab.nft("list", "table", "inet", TABLE)


def test_services_reach_neither_their_host_nor_its_segment(probed: Any) -> None:
    """The guard drops what leaves a container for the host or the LAN, and canaries listened on both."""
    outward = [
        p
        for p in probed["pairs"]
        if p["from"].startswith("service:") and p["to"] in ("guest:docker-1", "vlan:services")
    ]

    assert {p["to"] for p in outward if p["port"] is None} == {"guest:docker-1", "vlan:services"}
    assert {(p["expected"], p["observed"]) for p in outward} == {("no", "no")}


def test_the_lab_files_sentences_are_borne_out(probed: Any) -> None:
    """Those that something here can test were tested, and nothing spoke against one."""
    found = {sentence["sentence"]: sentence for sentence in probed["expectations"]}

    assert [text for text, sentence in found.items() if sentence["against"]] == []
    assert found["service:vaultwarden/app reaches service:vaultwarden/db:5432/tcp"]["probes"] == 1
    assert len([text for text, sentence in found.items() if sentence["probes"] > 10]) >= 2


def test_the_guard_is_in_force(lab: RunningLab) -> None:
    """The kernel of the Docker host has the table whose version is that of the rendered file."""
    [guard] = load_plan(lab.clone.root / "Pulumi.dev.yaml").guards
    [version] = re.findall(r"^# version: (\w+)$", guard_text(guard), re.MULTILINE)

    assert f"chain version-{version}" in _rules(lab)


def test_a_probe_leaves_nobody_behind(lab: RunningLab, probed: Any) -> None:
    """The peer that stood on the segment is gone, and no canary listens any more."""
    assert lab.status()["peers"] == []
    assert [line for line in lab.clone.leftovers() if "inside.py" in line] == []


def test_an_added_flow_touches_the_guard_and_nothing_else(lab: RunningLab) -> None:
    """Preview names two containers of the guard and the path that opens; the update restarts no service and loses
    no request; the path is open afterwards, and every other is as it was."""
    before = lab.containers()
    with lab.edited(NEEDS_MORE):
        steps, told = lab.preview()
        diff = lab.clone.shell("python -m cli diff --deployed --format json")
        with lab.visited("www.dev.lab.example", 443) as failures:
            update = lab.up()
        code, seen = lab.verify()

    assert {urn.rpartition("::")[2] for urn in steps} == {GUARD, f"{GUARD}-files-loader"}
    assert all("homelab:index:HostGuard$" in urn for urn in steps)
    opened = f"opens {PROMTAIL} -> {PROMETHEUS} 9090/tcp (monitoring/promtail needs it)"
    assert f"Reachability: this update\n  {opened}" in told
    assert "closes" not in told
    assert diff.code == 1
    found = json.loads(diff.out)
    [path] = found["opens"]
    assert (path["from"], path["to"], path["port"]) == (PROMTAIL, PROMETHEUS, "9090/tcp")
    assert found["closes"] == found["may_change"] == []

    assert update.code == 0, update
    assert f"Reachability: this update\n      {opened}" in update.out, update
    assert failures == []
    after = lab.containers()
    assert {name for name in before if before[name] != after[name]} == {"service:guard/docker-1"}
    assert before.keys() == after.keys()

    pair = _pair(seen, PROMTAIL, PROMETHEUS, "9090/tcp")
    assert (code, pair["expected"], pair["observed"]) == (0, "yes", "yes")


def test_a_removed_flow_closes_its_path(lab: RunningLab) -> None:
    """What was reachable a moment ago is not any more: the probe confirms it, and nothing else was touched."""
    before = lab.containers()
    _, told = lab.preview()
    update = lab.up()
    code, seen = lab.verify()

    assert f"closes {PROMTAIL} -> {PROMETHEUS} 9090/tcp" in told
    assert update.code == 0, update
    after = lab.containers()
    assert {name for name in before if before[name] != after[name]} == {"service:guard/docker-1"}
    pair = _pair(seen, PROMTAIL, PROMETHEUS, "9090/tcp")
    assert (code, pair["expected"], pair["observed"]) == (0, "no", "no")


@pytest.mark.parametrize("verb", ["preview", "up --yes --skip-preview"])
def test_a_violation_stops_before_the_first_resource(lab: RunningLab, verb: str) -> None:
    """A node that routes between VLANs and filters nothing opens paths that no flow permits: the program says which
    and why, and nothing is created, changed or deleted."""
    before, rules = lab.containers(), _rules(lab)
    with lab.edited(ROUTED_BY_ITS_NODE):
        answer = lab.clone.shell(f"pulumi {verb} --stack dev --non-interactive", timeout=600)

    said = answer.out + answer.err
    assert answer.code != 0
    assert "the node routes between vlan services and vlan iot and filters nothing on the way" in said, answer
    assert "and nobody declared it" in said, answer
    assert "nothing was created" in said, answer
    assert "Traceback" not in said
    assert re.search(r"\d+ (to )?(create|update|delete|replace)", said) is None, answer
    assert lab.containers() == before
    assert _rules(lab) == rules


def test_a_guard_that_somebody_deletes_is_put_back(lab: RunningLab) -> None:
    """The guard looks after its table: within seconds it is in force again, with the same rules."""
    before = _rules(lab)
    lab.nft("delete", "table", "inet", TABLE)

    assert within(15, lambda: TABLE in lab.nft("list", "tables"))
    assert _rules(lab) == before
    assert lab.verify()[0] == 0


def test_sabotage_that_nobody_repairs_is_seen(lab: RunningLab) -> None:
    """With the guard stopped and its table gone the services of a network reach each other and their host: those
    pairs are wrong, the declared ones are not, and a started guard makes everything right again."""
    with lab.engine() as client:
        guard = client.containers.get(lab.containers()["service:guard/docker-1"].id)
        guard.stop(timeout=2)
        lab.nft("delete", "table", "inet", TABLE)
        try:
            code, seen = lab.verify()
            text = lab.clone.shell("python -m cli verify")
        finally:
            guard.start()
    wrong = [p for p in seen["pairs"] if p["expected"] == "no" and p["observed"] not in ("no", "silent")]

    assert code == 1
    assert text.code == 1
    assert {(p["from"], p["to"], p["port"]) for p in wrong} >= {
        ("service:vaultwarden/db", "service:vaultwarden/app", "80/tcp"),
        ("service:vaultwarden/app", "service:vaultwarden/db", None),
        (PROMTAIL, PROMETHEUS, "9090/tcp"),
        ("service:web/app", "guest:docker-1", None),
    }
    assert all(p["observed"] == "yes" for p in seen["pairs"] if p["expected"] == "yes")
    assert "service:guard/docker-1" in seen["missing"]
    assert "WRONG: service:vaultwarden/db to service:vaultwarden/app 80/tcp" in text.out, text
    assert re.search(r"\d+ DISAGREE with the plan", text.out), text

    assert within(15, lambda: TABLE in lab.nft("list", "tables"))
    assert lab.verify()[0] == 0
