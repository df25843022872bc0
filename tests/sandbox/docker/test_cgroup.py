"""Control groups in a folder that looks like the kernel's."""

from pathlib import Path

import pytest

from sandbox.docker.cgroup import EngineGroup, engine_groups
from sandbox.errors import SandboxError


def test_processes_of_containers_are_found_with_cgroup_v2(tmp_path: Path) -> None:
    """The engine's own processes and those of its containers are listed, those of other guests are not."""
    (tmp_path / "cgroup.controllers").touch()
    group = EngineGroup("hl-abcdef", "docker-1", tmp_path)
    (group.create() / "cgroup.procs").write_text("11\n12\n")
    container = tmp_path / "hl-abcdef" / "docker-1" / "0123"
    container.mkdir()
    (container / "cgroup.procs").write_text("13\n")
    other = EngineGroup("hl-abcdef", "docker-2", tmp_path)
    (other.create() / "cgroup.procs").write_text("99\n")
    assert sorted(group.processes()) == [11, 12, 13]
    assert [found.name for found in engine_groups("hl-abcdef", tmp_path)] == [
        "/hl-abcdef/docker-1",
        "/hl-abcdef/docker-2",
    ]


def test_separate_hierarchies_use_one_that_is_mounted(tmp_path: Path) -> None:
    """With cgroup v1 the first hierarchy that exists is taken."""
    (tmp_path / "freezer").mkdir()
    (tmp_path / "freezer" / "cgroup.procs").touch()
    assert EngineGroup("hl-abcdef", "g", tmp_path).own == tmp_path / "freezer" / "hl-abcdef" / "g" / "engine"


def test_no_hierarchy_is_one_sentence(tmp_path: Path) -> None:
    """Without control groups the repair is named."""
    with pytest.raises(SandboxError, match=r"no control group hierarchy is mounted under .*--simulated"):
        _ = EngineGroup("hl-abcdef", "g", tmp_path).own
