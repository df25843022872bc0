"""Which engine is used: the one on PATH when it is new enough, else a release, else a built one."""

from pathlib import Path

import pytest

from tests.toolchain.conftest import Workplace


def engine(workplace: Workplace, version: str) -> Path:
    """Put an engine on PATH that says this version."""
    return workplace.program("pulumi", f'#!/bin/sh\n[ "$1" = version ] && echo "{version}"\n')


@pytest.mark.parametrize("version", ["v3.250.0", "v3.259.0", "3.300.1", "v4.0.0-alpha.1"])
def test_a_new_enough_engine_on_path_is_used(workplace: Workplace, version: str) -> None:
    """From 3.250 on, the engine on PATH is taken and nothing is built."""
    program = engine(workplace, version)
    assert workplace.run("build", "pulumi") == (0, f"pulumi {program}\n", "")
    assert workplace.run("path", "pulumi") == (0, f"{program}\n", "")


@pytest.mark.parametrize(
    ("version", "reason"),
    [("v3.249.9", "is v3.249.9, older than 3.250"), ("dev", "does not say its version")],
)
def test_an_older_engine_on_path_is_refused_aloud(workplace: Workplace, version: str, reason: str) -> None:
    """Below 3.250, or without a version, another engine is built, after a line that says why."""
    program = engine(workplace, version)
    workplace.go()
    code, answer, problems = workplace.run("build", "pulumi")
    assert code == 0, problems
    assert f"pulumi: {program} {reason}, so version 3.259.0 is fetched or built\n" in problems
    assert answer.startswith(f"pulumi {workplace.cache}")
    assert workplace.builds == 1


def test_an_engine_with_its_own_language_host_keeps_it(workplace: Workplace) -> None:
    """Engine and host belong together: the host that came with the engine is the one used."""
    engine(workplace, "v3.260.0")
    host = workplace.program("pulumi-language-python", "#!/bin/sh\n")
    assert workplace.run("build", "pulumi", "pulumi-language-python") == (
        0,
        f"pulumi-language-python {host}\npulumi {host.parent}/pulumi\n",
        "",
    )


def test_an_engine_reached_by_a_link_keeps_the_host_beside_its_target(workplace: Workplace) -> None:
    """An installation of which only the engine is linked into PATH is still whole."""
    home = workplace.root / "installed"
    home.mkdir()
    engine(workplace, "v3.260.0").rename(home / "pulumi")
    (home / "pulumi-language-python").write_text("#!/bin/sh\n")
    (workplace.bin / "pulumi").symlink_to(home / "pulumi")
    assert workplace.run("path", "pulumi-language-python") == (0, f"{home}/pulumi-language-python\n", "")


def test_an_engine_without_a_language_host_gets_the_built_one(workplace: Workplace) -> None:
    """Only the missing half is built."""
    engine(workplace, "v3.260.0")
    workplace.go()
    code, answer, _ = workplace.run("build", "pulumi", "pulumi-language-python")
    assert code == 0
    assert f"pulumi-language-python {workplace.cache}" in answer
    assert f"pulumi {workplace.bin}/pulumi" in answer
    assert workplace.builds == 1


def test_all_are_got_in_the_order_of_use_and_put_on_the_path(workplace: Workplace) -> None:
    """Without names all are built, the quick ones first, and `env` names a folder for each, the engine's first."""
    workplace.go()
    _, answer, _ = workplace.run("build")
    programs = dict(line.split() for line in answer.splitlines())
    assert list(programs) == ["pulumi-language-python", "standin", "access-control", "pulumi", "traefik"]
    code, line, _ = workplace.run("env")
    ordered = sorted(programs, key=lambda name: name != "pulumi")
    folders = ":".join(str(Path(programs[name]).parent) for name in ordered)
    assert (code, line) == (0, f"export PATH={folders}:$PATH\n")
    beside = Path(programs["pulumi"]).with_name("pulumi-language-python")
    assert beside.resolve() == Path(programs["pulumi-language-python"]).resolve(), (
        "the engine would warn at every run"
    )


def test_the_cache_on_path_is_not_an_engine_of_the_users(workplace: Workplace) -> None:
    """In a shell with the cache on its PATH, a changed module is still built anew."""
    workplace.go()
    workplace.run("build", "pulumi")
    stale = workplace.cache / "toolchain" / workplace.entries[0]
    (stale / "pulumi").write_text("#!/bin/sh\necho v3.259.0\n")
    with (workplace.root / "toolchain" / "pulumi" / "go.sum").open("a") as file:
        file.write("\n")
    code, _, problems = workplace.run("path", "pulumi", first=stale)
    assert (code, "pulumi is not there yet" in problems) == (1, True)
