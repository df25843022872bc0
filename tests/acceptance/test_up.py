"""`make up` from a clone: created, probed, unchanged the second time, gone without a trace.

The tests of this module run in order on one clone, as a user's first hour would.
"""

import json
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.clone import Answer, Clone, clone_to
from tests.support.needs import need

pytestmark = pytest.mark.engine


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


def test_every_declared_path_answered_with_the_right_name(clone: Clone, first: Answer) -> None:
    """Yes for every declared path, no for every undeclared one, and which merely share a network."""
    answer = clone.shell("python -m cli verify --format json")
    data = json.loads(answer.out)

    assert answer.code == 0, answer
    assert {(p["expected"], p["observed"]) for p in data["pairs"]} == {
        ("declared", "yes"),
        ("same network", "yes"),
        ("none", "no"),
    }
    assert all(route["ok"] and route["status"] == 200 for route in data["routes"])
    assert len(data["routes"]) == 6


def test_the_output_says_what_is_not_real(first: Answer) -> None:
    """Stand-ins and Traefik's own certificate are named as what they are."""
    assert "are stand-ins that listen where the image would" in first.out
    assert "signed itself" in first.out


def test_urls_can_be_opened_as_printed(clone: Clone, first: Answer) -> None:
    """The curl lines of the output work."""
    need(shutil.which("curl") is not None, "curl is not installed")
    lines = re.findall(r"^  (curl -k .*?)   \(", first.out, re.MULTILINE)
    answers = {line: clone.shell(f"{line} --silent --show-error") for line in lines}

    assert len(lines) == 6, first
    assert all(answer.code == 0 and "service:" in answer.out for answer in answers.values()), answers


def test_the_second_run_changes_nothing(clone: Clone, first: Answer) -> None:
    """Every resource is unchanged, and it takes under 30 seconds."""
    started = time.monotonic()
    second = clone.make("up")
    seconds = time.monotonic() - started

    assert second.code == 0, second
    assert re.search(r"Resources:\n\s+\d+ unchanged\n", second.out), second
    assert seconds < 30


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
