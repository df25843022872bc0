"""A running lab for the tests of a module."""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.clone import clone_to
from tests.acceptance.lab import RunningLab
from tests.support.needs import need


@pytest.fixture(scope="module")
def lab() -> Iterator[RunningLab]:
    """The dev lab of a clone, up; nothing of it is left afterwards."""
    need(sys.platform == "linux" and os.geteuid() == 0, "the real engine and network take root on Linux")
    folder = Path(tempfile.mkdtemp(prefix="hl-"))
    clone = clone_to(folder)
    try:
        first = clone.make("up", timeout=3000)
        assert first.code == 0, first
        yield RunningLab(clone)
    finally:
        clone.make("clean")
        shutil.rmtree(folder, ignore_errors=True)
