"""`make up` after the engine was killed: whatever step it was at, the next run ends as if nothing had been.

All tests use one clone. Each point is counted in resources that the engine had reported as created, so that
a slow machine is killed at the same place as a fast one.
"""

import json
import os
import re
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import pytest

from cli.recovery.asking import JsonApi
from sandbox.checkout import Checkout
from sandbox.orphans import processes
from tests.acceptance.clone import Clone, clone_to
from tests.acceptance.killing import kill_after, kill_while_asking
from tests.support.needs import need

pytestmark = pytest.mark.engine

POINTS = (2, 18, 34, 50, 68, 86)
BUILT_IN = {"bridge", "host", "none"}
ANONYMOUS = re.compile(r"[0-9a-f]{64}$")
STARTED = ("pulumi-language-", "pulumi-resource-", "sandbox.plugins")


@pytest.fixture(scope="module")
def clone() -> Iterator[Clone]:
    """A clone with a short path; nothing of it is left afterwards."""
    need(sys.platform == "linux" and os.geteuid() == 0, "the real engine and network take root on Linux")
    folder = Path(tempfile.mkdtemp(prefix="hl-"))
    fresh = clone_to(folder)
    yield fresh
    fresh.make("clean")
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.parametrize("point", POINTS)
def test_a_run_after_a_kill_converges(clone: Clone, point: int) -> None:
    """The next `make up` succeeds, every probe agrees, and nothing exists that the state does not know."""
    assert clone.make("clean").code == 0
    kill_after(clone, point)

    again = clone.make("up")

    assert again.code == 0, again
    assert "everything is as expected" in again.out, again
    require_converged(clone)


@pytest.mark.parametrize("written", [False, True])
def test_a_policy_that_was_being_written_is_nobodys_decision(clone: Clone, written: bool) -> None:
    """Whether it was is not known; the next run reads the one in force, and knows its own from the default."""
    assert clone.make("clean").code == 0
    kill_after(clone, 1)
    kill_while_asking(clone, "tailscale", ("POST", "/api/v2/tailnet/-/acl"), answered=written)

    again = clone.make("up")

    assert again.code == 0, again
    assert "the program asks whose policy is in force" in again.out, again
    require_converged(clone)


def test_kills_upon_kills_converge(clone: Clone) -> None:
    """Runs that are killed one after the other get further each time, and the last one ends well."""
    assert clone.make("clean").code == 0
    for point in (12, 20, 20, 20):
        kill_after(clone, point)

    again = clone.make("up")

    assert again.code == 0, again
    assert "everything is as expected" in again.out, again
    require_converged(clone)


@pytest.mark.parametrize("step", [r" deleting original", r" creating replacement"])
def test_an_update_that_is_killed_converges(clone: Clone, step: str) -> None:
    """A container that was being replaced is neither lost nor doubled."""
    lab = clone.root / "Pulumi.dev.yaml"
    before = lab.read_text()
    lab.write_text(
        re.sub(r"POSTGRES_DB: (\w+)", r"POSTGRES_DB: \1x", before).replace("job_name: node", "job_name: n")
    )
    assert lab.read_text() != before
    kill_after(clone, 1, word=step)

    again = clone.make("up")

    assert again.code == 0, again
    assert "everything is as expected" in again.out, again
    require_converged(clone)


def test_a_stop_after_a_kill_leaves_no_process(clone: Clone) -> None:
    """What a killed engine had started is ended by `make down`, the plugins with it."""
    assert clone.make("clean").code == 0
    kill_after(clone, 20)
    assert started(clone), "the kill left no process, so this test would prove nothing"

    assert clone.make("down").code == 0

    assert started(clone) == []
    assert [line for line in clone.leftovers() if line.startswith("process")] == []


def started(clone: Clone) -> list[str]:
    """The programs of this clone that only an engine starts."""
    home = str(Checkout(clone.root).pulumi_home)
    return [
        " ".join(p.arguments)
        for p in processes()
        if p.home == home and any(word in " ".join(p.arguments[:3]) for word in STARTED)
    ]


def require_converged(clone: Clone) -> None:
    """A preview wants nothing, nothing is pending, and the outside holds what the state holds, once."""
    preview = clone.shell("pulumi preview --stack dev --non-interactive --expect-no-changes")
    assert preview.code == 0, preview
    exported = clone.shell("pulumi stack export --stack dev")
    deployment = json.loads(exported.out)["deployment"]
    assert not deployment.get("pending_operations")
    known: dict[str, Counter[str]] = {}
    for resource in deployment["resources"]:
        short = resource["type"].rpartition(":")[2]
        known.setdefault(short, Counter())[str(resource.get("id", ""))] += 1
    for kind, there in outside(clone).items():
        assert there == known.get(kind, Counter()), kind


def outside(clone: Clone) -> dict[str, Counter[str]]:
    """The ids of everything that exists at the outside, by type."""
    endpoints = json.loads((clone.root / ".sandbox/endpoints.json").read_text())
    engine = docker.APIClient(base_url=f"unix://{endpoints['docker']}/docker-1.sock", timeout=30)
    volumes = [volume["Name"] for volume in engine.volumes()["Volumes"] or ()]
    found: dict[str, Counter[str]] = {
        "Container": Counter(c["Id"] for c in engine.containers(all=True)),
        "Network": Counter(n["Id"] for n in engine.networks() if n["Name"] not in BUILT_IN),
        "Volume": Counter(name for name in volumes if not ANONYMOUS.match(name)),
    }
    return found | _apis(clone, endpoints)


def _apis(clone: Clone, endpoints: dict[str, str]) -> dict[str, Counter[str]]:
    checkout = Checkout(clone.root)
    cloudflare = JsonApi(
        name="cloudflare",
        address=endpoints["cloudflare"],
        authorization=f"Bearer {checkout.credential('cloudflare-token')}",
    )
    tailscale = JsonApi(
        name="tailscale",
        address=f"{endpoints['tailscale']}/api/v2",
        authorization=f"Bearer {checkout.credential('tailscale-key')}",
    )
    zone = cloudflare.get("zones")["result"][0]["id"]
    records = cloudflare.get(f"zones/{zone}/dns_records", {"per_page": "100"})["result"]
    keys: list[dict[str, Any]] = tailscale.get("tailnet/-/keys")["keys"]
    alive = [key["id"] for key in keys if not tailscale.get(f"tailnet/-/keys/{key['id']}").get("invalid")]
    return {"DnsRecord": Counter(r["id"] for r in records), "TailnetKey": Counter(alive)}
