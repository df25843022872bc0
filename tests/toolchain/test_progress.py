"""Progress: a line when it is due, and not more."""

import os
import sys
from pathlib import Path

import pytest

from toolchain import processes
from toolchain.progress import Progress


def test_a_line_about_every_ten_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    """Ticks between two lines print nothing; the line says how long it has been and what is known."""
    now = [100.0]
    progress = Progress("thing", clock=lambda: now[0])
    for second in range(100, 131):
        now[0] = float(second)
        progress.tick(f"{second - 100} parts" if second < 130 else "")
    assert capsys.readouterr().err.splitlines() == [
        "thing: 10 s, 10 parts",
        "thing: 20 s, 20 parts",
        "thing: 30 s",
    ]


def test_output_of_a_long_command_is_kept_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing of it is shown but what the description makes of it; all of it is returned."""
    monkeypatch.setattr("toolchain.progress.INTERVAL", 0.2)
    wait_and_fail = "time.sleep(1); print('two', file=sys.stderr); sys.exit(3)"
    code, lines = processes.run(
        [sys.executable, "-c", f"import sys, time; print('one', flush=True); {wait_and_fail}"],
        progress=Progress("thing"),
        environment=os.environ,
        folder=tmp_path,
        describe=lambda lines: f"{len(lines)} lines",
    )
    assert (code, lines) == (3, ["one", "two"])
    assert "thing: 0 s, 1 lines\n" in capsys.readouterr().err
