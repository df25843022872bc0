"""What nft and a kernel make of a guard's file."""

import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from lab.flows import Port
from lab.plan.records import ANYWHERE, GuardPlan
from lab.render.guard import guard_text
from sandbox.checkout import cache_dir
from sandbox.errors import SandboxError
from sandbox.fabric.kernel import missing_rights
from sandbox.guest_tools import GuestTools, guest_tools
from tests.labs.reading import LABS
from tests.support.guard_samples import ARRIVING, GUARDED, LEAVING, LOCAL, WITHIN, guard, version
from tests.support.needs import need

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def tools() -> GuestTools:
    """The nft of a guest, and the right to ask a kernel about a network namespace that is not in use."""
    lacking = missing_rights()
    need(lacking is None, f"a network namespace for nft: {lacking}")
    need(shutil.which("unshare") is not None, "unshare of util-linux is not here")
    try:
        return guest_tools(cache_dir())
    except SandboxError as error:
        need(False, str(error))
        raise


def nft(tools: GuestTools, script: str, text: str = "") -> subprocess.CompletedProcess[str]:
    """A shell with `nft` in a network namespace of its own, which ends with it; `text` is its input."""
    return subprocess.run(
        ["unshare", "--net", "sh", "-ec", f'nft() {{ {tools.nft} "$@"; }}\n{script}'],
        env={"PATH": os.environ["PATH"], "LD_LIBRARY_PATH": str(tools.libraries)},
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(("lab", "host"), GUARDED)
def test_nft_accepts_the_guard_of_a_lab(lab: str, host: str, tools: GuestTools) -> None:
    """nft and the kernel find nothing wrong with the golden file."""
    done = nft(tools, "nft -c -f -", (LABS / lab / "expected" / f"guard.{host}.nft").read_text())
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    "made",
    [
        guard(),
        guard(bridges={}),
        guard(WITHIN, LEAVING, LOCAL, ARRIVING),
        guard(
            replace(LEAVING, port=Port(1, "udp", 65535)),
            replace(ARRIVING, source=ANYWHERE, port=Port(1, "udp", 9)),
        ),
        guard(replace(WITHIN, because='"ü"\n\0' * 50), replace(LOCAL, because="a" * 500, port=None)),
        guard(replace(WITHIN, interface="br-00000009")),
    ],
)
def test_nft_accepts_every_kind_of_rule(made: GuardPlan, tools: GuestTools) -> None:
    """No rule and no reason that a person may write makes a file that does not load."""
    done = nft(tools, "nft -c -f -", guard_text(made))
    assert (done.returncode, done.stderr) == (0, "")


def test_the_kernel_tells_which_version_is_in_force(tools: GuestTools, tmp_path: Path) -> None:
    """Loaded after another guard, the file takes its place as a whole, and its chain is what the loader asks for."""
    before, now = guard_text(guard(WITHIN, LOCAL)), guard_text(guard(LEAVING))
    (tmp_path / "before.nft").write_text(before)
    (tmp_path / "now.nft").write_text(now)
    script = f"""
      nft -f {tmp_path}/before.nft
      nft list chain inet homelab version-{version(before)} >/dev/null
      nft -f {tmp_path}/now.nft
      nft list chain inet homelab version-{version(now)} >/dev/null
      ! nft list chain inet homelab version-{version(before)} 2>/dev/null
      nft list table inet homelab
    """
    done = nft(tools, script)
    assert done.returncode == 0, done.stderr
    assert "10.128.1.2" in done.stdout
    assert "10.128.0.2" not in done.stdout
