"""The script with which a guest starts: its order is what keeps the boot closed."""

from pathlib import Path

import pytest

from sandbox.boot import Boot
from sandbox.docker.cgroup import EngineGroup
from sandbox.docker.launch import EnginePlace, launch_script
from sandbox.docker.packages import EnginePrograms
from sandbox.guest_tools import GuestTools


@pytest.fixture
def place(tmp_path: Path) -> EnginePlace:
    """An engine's place with a control group that is a plain folder."""
    (tmp_path / "cgroup").mkdir()
    (tmp_path / "cgroup" / "cgroup.controllers").touch()
    return EnginePlace(
        guest="docker-1",
        folder=tmp_path / "engine",
        socket=tmp_path / "run" / "docker-1.sock",
        namespace=tmp_path / "netns",
        group=EngineGroup("hl-test", "docker-1", tmp_path / "cgroup"),
        log=tmp_path / "log",
    )


def _lines(place: EnginePlace, *rules: str) -> list[str]:
    programs = EnginePrograms(dockerd=Path("/usr/bin/dockerd"), version=(20, 10), path=(Path("/usr/bin"),))
    tools = GuestTools(usr=Path("/cache/tools/usr"))
    boot = Boot(rules=rules, engine_options={})
    return launch_script(place, programs, tools, boot).splitlines()


def _position(lines: list[str], start: str) -> int:
    return next(number for number, line in enumerate(lines) if line.startswith(start))


def test_rules_are_in_force_before_anything_of_docker_runs(place: EnginePlace) -> None:
    """In the order of their names, after the guest's files are there, and a failure ends the script."""
    lines = _lines(place, "/etc/homelab/a.nft", "/etc/homelab/b c.nft")
    loads = [number for number, line in enumerate(lines) if "/usr/sbin/nft -f" in line]
    assert [lines[number].rpartition(" -f ")[2] for number in loads] == [
        "/etc/homelab/a.nft", "'/etc/homelab/b c.nft'",
    ]  # fmt: skip
    assert lines[0] == "set -eu"
    assert _position(lines, "  mount -t overlay") < loads[0]
    assert loads[-1] < _position(lines, "containerd ") < _position(lines, "exec /usr/bin/dockerd")


def test_nft_finds_its_libraries_where_a_guest_would(place: EnginePlace) -> None:
    """The engine's own LD_LIBRARY_PATH does not reach it, so that what works here works for a container too."""
    assert any(
        line.startswith("env -i PATH=") and "nft -f" in line for line in _lines(place, "/etc/homelab/a.nft")
    )


def test_without_rules_none_is_loaded(place: EnginePlace) -> None:
    """A guest whose file has no rules starts without."""
    assert not [line for line in _lines(place) if "nft -f" in line]
