"""Plugins that cannot be talked to, hang, or would outlive the run."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.evidence.conformance.test_command import ROOT, run
from tests.sandbox.conformance import cases


@pytest.mark.parametrize(
    ("mistake", "seconds", "parts"),
    [
        ("mute", "1", ("printed no port within 1 s", "--start-timeout")),
        ("ends", "30", ("ended with code 1 before it printed its port", "no configuration found")),
        ("prose", "30", ("its first line is 'Listening on port 1234' and not a port",)),
        ("taken", "2", ("nothing speaks gRPC on port", "another program")),
        ("dies", "30", ("1-life/min, step 3", "ended with code 3", "out of cheese", "by hand")),
    ],
)
def test_a_plugin_that_cannot_be_talked_to_ends_the_run(
    mistake: str, seconds: str, parts: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The problem says what happened, what the plugin said and how to repair it; the exit code is 2."""
    file = cases.recording(tmp_path)
    code, out, err = run(capsys, cases.plugin(mistake), str(file), "--start-timeout", seconds)
    assert (code, out) == (2, "")
    for part in parts:
        assert part in err


def test_no_plugin_outlives_the_run(tmp_path: Path) -> None:
    """Also a plugin that never answers, and one whose run is terminated, is gone afterwards."""
    marker = f"mute-{tmp_path.name}"
    file, script = cases.recording(tmp_path), tmp_path / f"{marker}.py"
    script.write_text("import time\ntime.sleep(600)\n")
    command = [
        sys.executable, "-m", "sandbox.conformance", f"{sys.executable} {script}", str(file),
        "--start-timeout",
    ]  # fmt: skip
    done = subprocess.run([*command, "1"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    with subprocess.Popen([*command, "60"], cwd=ROOT, stderr=subprocess.PIPE) as running:
        deadline = 100
        while not _with(marker, running.pid) and deadline:
            deadline -= 1
            subprocess.run(["sleep", "0.1"], check=True)
        running.terminate()
        assert running.wait(20) == 143
    assert not _with(marker)


def _with(marker: str, but: int = 0) -> list[str]:
    """Processes whose command line holds the marker, without the run itself."""
    found = []
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            text = line.read_text()
        except OSError:
            continue
        if marker in text and "sandbox.conformance" not in text and line.parent.name != str(but):
            found.append(text)
    return found


def test_a_step_that_hangs_is_a_difference(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A call without an answer ends after the step's time, and the replay goes on with a new plugin."""
    file = cases.recording(tmp_path)
    code, out, _ = run(capsys, cases.plugin("hangs"), str(file), "--step-timeout", "2", "--format", "json")
    figures = json.loads(out)["types"][cases.TYPE]
    assert (code, figures["agrees"], figures["differs"]) == (1, 4, 1)
