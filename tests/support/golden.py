"""Golden files: what a text was when somebody last read it, compared byte for byte.

A missing file is a failure, never a first run. `pytest --update-golden` (`make golden`)
writes the files anew, for a person to read in the difference; it refuses to in CI,
where nobody would. What was found instead lies beside the file as `.actual`.
"""

import difflib
import os
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[2]


def assert_golden(path: Path, found: str, *, update: bool) -> None:
    """Fail unless a golden file holds exactly this text.

    Args:
        path: the golden file.
        found: the text now, as it would be written.
        update: write the file instead, as `--update-golden` asks (fixture `update_golden`).
    """
    actual = path.with_name(path.name + ".actual")
    data = found.encode()
    if update:
        if os.environ.get("HOMELAB_CI") == "1":
            pytest.fail("golden files are not written in CI: nobody would read the difference")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    elif not path.exists():
        actual.parent.mkdir(parents=True, exist_ok=True)
        actual.write_bytes(data)
        pytest.fail(f"no golden file {_shown(path)}; read {actual.name} beside it, then run `make golden`")
    elif path.read_bytes() != data:
        actual.write_bytes(data)
        pytest.fail(
            f"{_shown(path)} has changed (the new text is in {actual.name}):\n{_difference(path, found)}"
        )
    actual.unlink(missing_ok=True)


def _shown(path: Path) -> str:
    return str(path.relative_to(_ROOT)) if path.is_relative_to(_ROOT) else path.name


def _difference(path: Path, found: str) -> str:
    before = path.read_text(errors="replace").splitlines(keepends=True)
    return "".join(difflib.unified_diff(before, found.splitlines(keepends=True), "expected", "found"))
