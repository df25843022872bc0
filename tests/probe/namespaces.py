"""Two network namespaces with a wire between them, of a test's own, gone with the processes that hold them."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

from tests.support.needs import need

LEFT, RIGHT = "10.99.0.1", "10.99.0.2"


@dataclass(frozen=True)
class Wired:
    """Two namespaces; each has one address and loopback."""

    left: str
    right: str

    def run_in(self, namespace: str, *command: str) -> None:
        """Run a program in one of them."""
        subprocess.run(["nsenter", f"--net={namespace}", *command], check=True, capture_output=True)


@contextlib.contextmanager
def wired() -> Iterator[Wired]:
    """A pair of namespaces, LEFT and RIGHT on one link."""
    tools = all(shutil.which(tool) for tool in ("unshare", "nsenter", "ip"))
    need(os.geteuid() == 0 and tools, "network namespaces take root, util-linux and iproute2")
    with _holder() as left, _holder() as right:
        pair = Wired(left=f"/proc/{left}/ns/net", right=f"/proc/{right}/ns/net")
        pair.run_in(
            pair.left, "ip", "link", "add", "wire", "type", "veth", "peer", "wire", "netns", str(right)
        )
        for namespace, address in ((pair.left, LEFT), (pair.right, RIGHT)):
            pair.run_in(namespace, "ip", "address", "add", f"{address}/24", "dev", "wire")
            pair.run_in(namespace, "ip", "link", "set", "wire", "up")
            pair.run_in(namespace, "ip", "link", "set", "lo", "up")
        yield pair


@contextlib.contextmanager
def _holder() -> Iterator[int]:
    command = ["unshare", "--net", "sh", "-c", "echo made && exec sleep 600"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "made\n"
        yield process.pid
    finally:
        process.kill()
        process.communicate()
