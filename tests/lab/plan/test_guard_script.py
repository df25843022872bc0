"""The script that loads a guard, run by this machine's shell with an `nft` that only remembers."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lab.render.guard import guard_text
from tests.support.builders import plan, service, stack
from tests.support.guards import guard_of

GUARD = guard_of(plan(stacks={"web": stack(app=service(needs=["db:80"]), db=service(listens=[80]))}))
RULES = guard_text(GUARD)
KNOB = "/proc/sys/net/bridge/bridge-nf-call-iptables"
NFT = """\
#!/bin/sh
# Called as `chroot /host /usr/sbin/nft ...`: a table is a file, and a file that says so does not load.
[ "$1 $2" = "/host /usr/sbin/nft" ] || exit 9
shift 2
case "$1" in
  -f) cat >{0}/new; grep -q broken {0}/new && exit 1; echo >>{0}/loads; mv {0}/new {0}/table ;;
  list) [ "$2 $3 $4" = "chain inet homelab" ] && grep -q "chain $5 {{" {0}/table ;;
esac
"""
LONG = 10.0
"""Seconds after which something that takes a fraction of one counts as not happening."""


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A host with the rules in place, packet filters that see bridged packets, and nothing loaded."""
    (tmp_path / "bin").mkdir()
    for name, text in (("chroot", NFT.format(tmp_path)), ("sleep", "#!/bin/sh\nexec /bin/sleep 0.02\n")):
        (tmp_path / "bin" / name).write_text(text)
        (tmp_path / "bin" / name).chmod(0o755)
    (tmp_path / "guard.nft").write_text(RULES)
    (tmp_path / "knob").write_text("1\n")
    (tmp_path / "table").write_text("")
    (file,) = GUARD.service.files
    script = file.content.replace(KNOB, f"{tmp_path}/knob").replace(GUARD.rules_file, f"{tmp_path}/guard.nft")
    assert script.count(str(tmp_path)) == 2
    (tmp_path / "guard.sh").write_text(script)
    return tmp_path


def started(machine: Path, *arguments: str) -> subprocess.Popen[str]:
    """The script, running."""
    shell = shutil.which("sh")
    assert shell
    return subprocess.Popen(
        [shell, str(machine / "guard.sh"), *arguments],
        env={"PATH": f"{machine}/bin:{os.environ['PATH']}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def loader(machine: Path) -> Iterator[subprocess.Popen[str]]:
    """The container's own process, once it has loaded the rules."""
    process = started(machine)
    until(lambda: (machine / "table").read_text() == RULES)
    yield process
    process.kill()
    process.communicate()


def until(condition: Callable[[], bool]) -> None:
    """Wait for something that happens by itself; fail where it does not."""
    end = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def ended(machine: Path, *arguments: str) -> tuple[int, str]:
    """The code with which the script ends by itself, and what it says."""
    process = started(machine, *arguments)
    _, said = process.communicate(timeout=LONG)
    return process.returncode, said


def test_it_runs_what_its_record_says() -> None:
    """The container runs the script that it is given, and its health is that script's answer."""
    (file,) = GUARD.service.files
    assert GUARD.service.command == ("sh", file.path)
    assert GUARD.service.health is not None
    assert GUARD.service.health.command == ("sh", file.path, "check")


def test_rules_are_loaded_as_they_are_and_once(machine: Path, loader: subprocess.Popen[str]) -> None:
    """The whole file goes to one `nft -f`, and is not loaded again while it is in force."""
    time.sleep(0.3)
    assert (machine / "loads").read_text() == "\n"
    assert loader.poll() is None


def test_rules_that_are_gone_come_back(machine: Path, loader: subprocess.Popen[str]) -> None:
    """Whoever flushes all rules of the host flushes the guard for a moment only."""
    (machine / "table").write_text("")
    until(lambda: (machine / "table").read_text() == RULES)
    assert loader.poll() is None


def test_it_ends_when_it_is_asked_to(loader: subprocess.Popen[str]) -> None:
    """A new guard does not wait for the grace period of the old one."""
    loader.terminate()
    assert loader.wait(timeout=LONG) == 0


def test_rules_that_do_not_load_end_it(machine: Path) -> None:
    """The container fails, and with it the update that waits for it; what was in force stays."""
    (machine / "guard.nft").write_text(RULES + "broken\n")
    (machine / "table").write_text("before")
    assert ended(machine)[0] == 1
    assert (machine / "table").read_text() == "before"


def test_it_is_well_while_exactly_its_rules_are_in_force(machine: Path) -> None:
    """Its own table is health, and no table, another one or an older version is none."""
    assert ended(machine, "check")[0] == 1
    (machine / "table").write_text(RULES)
    assert ended(machine, "check") == (0, "")
    (machine / "table").write_text(RULES.replace("chain version-", "chain version-0"))
    assert ended(machine, "check")[0] == 1


@pytest.mark.parametrize("knob", ["0\n", None])
def test_it_is_ill_where_no_rule_sees_bridged_packets(knob: str | None, machine: Path) -> None:
    """Without br_netfilter services of one network would meet unseen: that is told, with the repair."""
    (machine / "table").write_text(RULES)
    (machine / "knob").unlink()
    if knob is not None:
        (machine / "knob").write_text(knob)
    code, said = ended(machine, "check")
    assert code == 1
    assert said.startswith("net.bridge.bridge-nf-call-iptables is not 1 on this host, so no rule sees")
    assert "load br_netfilter and set it" in said
