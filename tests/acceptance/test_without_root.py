"""`make up` by somebody who is not root: the same lab, on a network and engines that only answer as real ones do."""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.acceptance.clone import Answer, Clone, clone_to
from tests.support.needs import need
from toolchain.cache import cache_root

pytestmark = pytest.mark.engine
NOBODY = 65534


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """A home with what was built already; everything in it is somebody's who has no rights."""
    need(sys.platform == "linux" and os.geteuid() == 0, "only root can run something as somebody else")
    folder = Path(tempfile.mkdtemp(prefix="hl-"))
    shutil.copytree(cache_root(), folder / "cache", symlinks=True)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def variables(home: Path) -> Mapping[str, str]:
    """What is in the environment of that somebody."""
    return {"HOME": str(home), "HOMELAB_CACHE": str(home / "cache"), "XDG_CACHE_HOME": ""}


@pytest.fixture(scope="module")
def clone(home: Path, variables: Mapping[str, str]) -> Iterator[Clone]:
    """A clone in that home; its sandbox is stopped afterwards."""
    fresh = Clone(clone_to(home / "lab").root, user=NOBODY)
    for folder, _, files in os.walk(home):
        for path in (folder, *(os.path.join(folder, name) for name in files)):
            os.lchown(path, NOBODY, NOBODY)
    yield fresh
    fresh.make("clean", environment=variables)


@pytest.fixture(scope="module")
def first(clone: Clone, variables: Mapping[str, str]) -> Answer:
    """The first `make up`."""
    return clone.make("up", timeout=3000, environment=variables)


def test_the_whole_lab_is_created(first: Answer) -> None:
    """The engine takes every resource, and the run is no failure."""
    assert first.code == 0, first
    assert " created\n" in first.out, first
    assert "failed" not in first.out, first


def test_the_output_says_what_is_not_real(first: Answer) -> None:
    """Why, and that nothing was probed; no sentence is called right."""
    assert "Not real: network and Docker Engines are simulated" in first.out, first
    assert "Nothing was probed" in first.out, first
    assert "  ok  " not in first.out, first


def test_the_second_run_changes_nothing(clone: Clone, first: Answer, variables: Mapping[str, str]) -> None:
    """What the simulated APIs keep is what was created."""
    again = clone.make("up", environment=variables)
    assert again.code == 0, again
    assert " unchanged\n" in again.out, again
    assert " created\n" not in again.out, again


def test_clean_leaves_nothing(clone: Clone, first: Answer, variables: Mapping[str, str]) -> None:
    """No process and no file of the sandbox."""
    assert clone.make("clean", environment=variables).code == 0
    assert clone.leftovers() == []
    assert not (clone.root / ".sandbox").exists()
