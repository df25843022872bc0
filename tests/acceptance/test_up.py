"""`make up` from a clone: created, probed, unchanged the second time, gone without a trace.

The tests of this module run in order on one clone, as a user's first hour would.
"""

import json
import os
import re
import shutil
import socket
import ssl
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from lab.plan import load_plan
from sandbox.checkout import Checkout
from sandbox.cloudflare.zones import zone_document
from sandbox.lifecycle import queries
from tests.acceptance.clone import Answer, Clone, clone_to
from tests.support.needs import need

pytestmark = pytest.mark.engine
NOT_HERE = {"tailnet", "vlan:management"}
"""Sources of flows that have nobody on this machine: no tailnet, and no guest on that segment."""


@pytest.fixture(scope="module")
def clone() -> Iterator[Clone]:
    """A clone with a short path, since unix sockets have a limit; nothing of it is left afterwards."""
    need(sys.platform == "linux" and os.geteuid() == 0, "the real engine and network take root on Linux")
    folder = Path(tempfile.mkdtemp(prefix="hl-"))
    fresh = clone_to(folder)
    yield fresh
    fresh.make("clean")
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def pristine(clone: Clone) -> dict[str, str]:
    """A digest of every file of the clone, from before anything ran in it."""
    return clone.committed_files()


@pytest.fixture(scope="module")
def first(clone: Clone, pristine: dict[str, str]) -> Answer:
    """The first `make up`."""
    return clone.make("up", timeout=3000)


def test_the_first_run_ends_with_everything_as_expected(first: Answer) -> None:
    """The lab is created, and every probe agrees with the plan."""
    assert first.code == 0, first
    assert "everything is as expected" in first.out, first


def test_the_plan_is_shown_before_anything_is_built(first: Answer) -> None:
    """Addresses, networks and the picture come first."""
    picture, toolchain = first.out.index("the only way in"), first.out.index("==> toolchain")

    assert picture < toolchain
    assert "10.128.0.16/28" in first.out[:toolchain]


@pytest.fixture(scope="module")
def probed(clone: Clone, first: Answer) -> Any:
    """What `make verify` saw, as data."""
    answer = clone.shell("python -m cli verify --format json")
    assert answer.code == 0, answer
    return json.loads(answer.out)


def test_every_declared_path_is_in_the_printed_table(clone: Clone, first: Answer) -> None:
    """Each flow of the plan that follows from needs and routes is a row: expected, observed, and right."""
    flows = {
        (str(flow.source), str(flow.target.endpoint), str(flow.target.port))
        for flow in load_plan(clone.root / "Pulumi.dev.yaml").flows
        if flow.origin in ("needs", "route") and str(flow.source) not in NOT_HERE
    }
    rows = {
        (words[1], words[2], words[3]): words[4:6]
        for words in map(str.split, first.out.splitlines())
        if len(words) > 6 and words[0] == "ok"
    }

    assert len(flows) >= 12
    assert {flow: rows.get(flow) for flow in flows} == {flow: ["yes", "yes"] for flow in flows}


def test_nothing_undeclared_connects(probed: Any) -> None:
    """Yes for what is declared or a host's own, no for everything else, the host and the LAN included."""
    seen = {(p["expected"], p["permission"], p["observed"]) for p in probed["pairs"]}
    ends = {p["from"] for p in probed["pairs"]}

    assert seen == {
        ("yes", "flow", "yes"),
        ("yes", "own host", "yes"),
        ("yes", "same segment", "yes"),
        ("no", None, "no"),
    }
    assert {"ingress", "service:vaultwarden/db", "guest:docker-1", "vlan:services"} <= ends
    closed = [p for p in probed["pairs"] if p["expected"] == "no"]
    assert {(p["port"] is None, p["protocol"]) for p in closed} >= {
        (True, "tcp"),
        (True, "udp"),
        (False, "tcp"),
    }
    assert len(closed) > 350


def test_names_are_asked_by_whom_they_are_expected_of(clone: Clone, probed: Any) -> None:
    """What each container asked for is in the log of the sandbox's name server exactly where it was answered."""
    names = {name["from"]: name for name in probed["names"]}
    arrived = {source: bool(queries(Checkout(clone.root), name["asked"])) for source, name in names.items()}

    assert len(names) == 14
    assert {source for source, there in arrived.items() if there} == {"ingress", "service:tailscale/router"}
    assert {source: name["observed"] == "yes" for source, name in names.items()} == arrived
    assert {name["expected"] for source, name in names.items() if not arrived[source]} == {"no"}


def test_every_route_answers_with_the_right_service(probed: Any) -> None:
    """Five pages, each by the audiences that it is for."""
    assert all(route["ok"] and route["status"] == 200 for route in probed["routes"])
    assert len(probed["routes"]) == 7


def test_verify_again_says_the_same(clone: Clone, first: Answer) -> None:
    """`make verify` alone probes a lab that runs, and sums up."""
    answer = clone.make("verify")

    assert answer.code == 0, answer
    assert re.search(
        r"^\d{3} pairs, \d+ names and 7 routes probed in [\d.]+ s: everything is as expected",
        answer.out,
        re.M,
    )


def test_the_output_says_what_is_not_real(first: Answer) -> None:
    """Stand-ins are named as what they are, and so is who signed Traefik's certificate."""
    assert "are stand-ins that listen where the image would" in first.out
    assert "7 certificates verified, chain and name: signed by Pebble Intermediate CA" in first.out


def test_every_route_has_a_certificate_of_the_authority(clone: Clone, probed: Any) -> None:
    """Python's own verification, with the authority's root alone, accepts chain and name of each."""
    context = ssl.create_default_context(cafile=str(clone.root / ".sandbox/certificate-roots.pem"))
    # The default of Python 3.13 asks for more of a root than Pebble puts into its own.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    names: list[Any] = []
    for route in probed["routes"]:
        url = urlsplit(route["url"])
        with (
            socket.create_connection(("127.0.0.1", url.port), timeout=10) as plain,
            context.wrap_socket(plain, server_hostname=url.hostname) as secure,
        ):
            names.append((secure.getpeercert() or {})["subjectAltName"])

    assert names == [(("DNS", "*.dev.lab.example"),)] * 7


def test_the_challenge_was_answered_in_the_zone_and_taken_back(clone: Clone, probed: Any) -> None:
    """The authority found the TXT record in DNS, and none is left at Cloudflare."""
    challenge = "_acme-challenge.dev.lab.example"
    asked = {(q["type"], q["client"]) for q in queries(Checkout(clone.root), challenge)}
    records = clone.shell(
        'curl --silent --show-error --fail --header "Authorization: Bearer $LAB_SECRET_CLOUDFLARE_TOKEN" '
        f'"$LAB_CONNECTION_CLOUDFLARE/zones/{zone_document("lab.example")["id"]}/dns_records"'
    )

    assert {("TXT", "127.0.0.1"), ("TXT", "10.10.20.11")} <= asked
    assert records.code == 0, records
    kinds = {record["type"] for record in json.loads(records.out)["result"]}
    assert "CAA" in kinds
    assert "TXT" not in kinds


def test_urls_can_be_opened_as_printed(clone: Clone, first: Answer) -> None:
    """The curl lines of the output work."""
    need(shutil.which("curl") is not None, "curl is not installed")
    lines = re.findall(r"^  (curl --cacert .*?)   \(", first.out, re.MULTILINE)
    answers = {line: clone.shell(f"{line} --silent --show-error") for line in lines}

    assert len(lines) == 7, first
    assert all(answer.code == 0 and "service:" in answer.out for answer in answers.values()), answers


def test_the_dashboard_shows_what_runs(clone: Clone, first: Answer, probed: Any) -> None:
    """Its page lists the containers and the events of the engine, as its proxy of the Docker API lets it see them."""
    need(shutil.which("curl") is not None, "curl is not installed")
    (line,) = re.findall(r"^  (curl --cacert .*?//containers\..*?)   \(", first.out, re.MULTILINE)
    page = clone.shell(f"{line} --silent --show-error").out
    containers, _, events = page.partition("The last events")

    assert "(a stand-in: " in page, page
    assert {"vaultwarden-app", "ingress-traefik", "dashboard-dozzle-docker-api"} <= set(containers.split()), (
        page
    )
    assert re.search(r"container (start|create|exec_start|die|destroy)\b", events), page


def test_the_second_run_changes_nothing(clone: Clone, first: Answer) -> None:
    """Every resource is unchanged, and every probe agrees again."""
    second = clone.make("up")

    assert second.code == 0, second
    assert re.search(r"Resources:\n\s+\d+ unchanged\n", second.out), second


def test_no_committed_file_was_touched(clone: Clone, first: Answer, pristine: dict[str, str]) -> None:
    """Pulumi and the ledger leave what git tracks as it was."""
    assert clone.committed_files() == pristine


def test_plain_pulumi_works_in_a_shell(clone: Clone, first: Answer) -> None:
    """With the environment sourced, `pulumi preview` needs no flags and expects no changes."""
    answer = clone.shell("pulumi preview --non-interactive --expect-no-changes")

    assert answer.code == 0, answer


def test_a_refresh_finds_no_drift(clone: Clone, first: Answer) -> None:
    """What the stand-in plugins read back is what was created."""
    answer = clone.shell(
        "pulumi refresh --stack dev --non-interactive --yes --skip-preview --expect-no-changes"
    )

    assert answer.code == 0, answer


def test_the_state_has_no_file_that_a_kill_can_break(clone: Clone, first: Answer) -> None:
    """Pulumi's file backend writes `.attrs` files in place; an empty one makes the whole stack unreadable."""
    state = clone.root / ".sandbox/state/.pulumi"

    assert list(state.rglob("dev.json"))
    assert list(state.rglob("*.attrs")) == []


def test_no_secret_is_printed_or_kept_in_clear(clone: Clone, first: Answer) -> None:
    """Generated secrets are in files that only their owner reads, and in no output and no state."""
    text = (clone.root / ".sandbox" / "credentials.json").read_text()
    values = [value for value in json.loads(text).values() if isinstance(value, str)]
    state = "".join(path.read_text() for path in (clone.root / ".sandbox/state").rglob("*.json"))

    assert len(values) >= 6
    for value in values:
        assert value not in first.out + first.err
        assert value not in state
    for name in ("credentials.json", "env"):
        assert (clone.root / ".sandbox" / name).stat().st_mode & 0o077 == 0


def test_a_bad_lab_file_creates_nothing(clone: Clone, first: Answer) -> None:
    """A problem is one readable list with no stack trace, before the first resource."""
    lab = clone.root / "Pulumi.dev.yaml"
    before = lab.read_text()
    lab.write_text(
        before.replace("host: vault,", "host: a.vault.dev.lab.example,").replace(
            "needs: [db:5432]", "needs: [bd:5432]"
        )
    )
    try:
        answer = clone.shell("pulumi up --stack dev --non-interactive --yes --skip-preview")
    finally:
        lab.write_text(before)

    assert answer.code != 0
    assert "a.vault.dev.lab.example is not covered by the certificate" in answer.out + answer.err, answer
    assert 'write "vaultwarden/db"' in answer.out + answer.err, answer
    assert "Traceback" not in answer.out + answer.err
    assert re.search(r"\d+ (created|updated|deleted|replaced)", answer.out) is None, answer


def test_down_leaves_nothing_behind_and_keeps_the_state(clone: Clone, first: Answer) -> None:
    """No process, namespace, link or mount is left, and the state is."""
    assert clone.leftovers()
    answer = clone.make("down")

    assert answer.code == 0, answer
    assert clone.leftovers() == []
    assert list((clone.root / ".sandbox/state").rglob("dev.json"))


def test_up_after_down_changes_nothing(clone: Clone, first: Answer) -> None:
    """The engines come back with their containers."""
    answer = clone.make("up")

    assert answer.code == 0, answer
    assert re.search(r"Resources:\n\s+\d+ unchanged\n", answer.out), answer


def test_clean_and_up_again(clone: Clone, first: Answer) -> None:
    """`make clean` removes all state, and `make up` begins anew."""
    cleaned = clone.make("clean")
    assert cleaned.code == 0, cleaned
    assert clone.leftovers() == []
    assert not (clone.root / ".sandbox").exists()

    answer = clone.make("up")

    assert answer.code == 0, answer
    assert "created" in answer.out
