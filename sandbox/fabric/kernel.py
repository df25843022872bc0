"""Network namespaces, links, addresses and packet filters, through iproute2 and nft: the only place that changes
the kernel's network state.

Every command names the namespace it works in. Nothing here can reach the machine's own network namespace:
`batch` takes a namespace as its first argument, and names that do not start with the checkout's prefix are
refused.
"""

import ctypes
import json
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from sandbox.errors import SandboxError
from sandbox.guest_tools import GuestTools

NAMESPACES = Path("/run/netns")
CLONE_NEWNET = 0x40000000
CAP_NET_ADMIN, CAP_SYS_ADMIN = 12, 21

T = TypeVar("T")


class FabricError(SandboxError):
    """The kernel refused a change of the network; the text has the command's own words."""


class Kernel:
    """Changes to the network namespaces whose names start with one prefix.

    Args:
        prefix: such as `hl-1a2b3c-`; a name that does not start with it is never created, changed or deleted.
        ip: the program `ip` of iproute2; None finds it on the system's path.
    """

    def __init__(self, prefix: str, ip: str | None = None) -> None:
        self.prefix = prefix
        self._ip = ip or shutil.which("ip", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") or "ip"

    def namespaces(self) -> list[str]:
        """The names of all existing namespaces of this prefix."""
        return sorted(path.name for path in NAMESPACES.glob(f"{self.prefix}*"))

    def exists(self, name: str) -> bool:
        """Whether the namespace lives; after a crash its file may be left without one."""
        try:
            # Namespace files live on a device of their own (nsfs), which /proc/self/ns shows.
            return os.stat(NAMESPACES / name).st_dev == os.stat("/proc/self/ns/net").st_dev
        except OSError:
            return False

    def add(self, name: str) -> None:
        """Make a namespace with its loopback up; one that exists is left as it is."""
        self._own(name)
        if self.exists(name):
            return
        (NAMESPACES / name).unlink(missing_ok=True)
        self._run([self._ip, "netns", "add", name])
        self.batch(name, ["link set lo up"])

    def delete(self, name: str) -> None:
        """Delete a namespace and, with it, all links in it; one that is gone is no error."""
        self._own(name)
        path = NAMESPACES / name
        if not path.exists():
            return
        done = subprocess.run(
            [self._ip, "netns", "delete", name], capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            path.unlink(missing_ok=True)

    def batch(self, namespace: str, lines: Sequence[str]) -> None:
        """Run iproute2 commands (without the leading `ip`) in a namespace; the first that fails stops them.

        Raises:
            FabricError: with the command's own text.
        """
        self._own(namespace)
        if lines:
            self._run([self._ip, "-n", namespace, "-batch", "-"], "\n".join(lines) + "\n")

    def links(self, namespace: str, kind: str | None = None) -> set[str]:
        """The names of the links in a namespace; with a kind, such as `bridge`, of those only."""
        chosen = ["type", kind] if kind else []
        text = self._run([self._ip, "-n", namespace, "-o", "link", "show", *chosen])
        return {line.split(": ", 2)[1].split("@")[0] for line in text.splitlines()}

    def delete_link(self, namespace: str, link: str) -> None:
        """Delete a link; one that is gone is no error.

        The kernel removes the peer of a deleted namespace's link at a moment of its own, so that whoever asks
        first whether it is there may be told yes and find it gone.

        Raises:
            FabricError: when it is still there.
        """
        self._own(namespace)
        command = [self._ip, "-n", namespace, "link", "delete", link]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0 and link in self.links(namespace):
            raise FabricError(f"the link {link} cannot be deleted: {done.stderr.strip()}")

    def write_sysctls(self, namespace: str, values: Iterable[tuple[str, str]]) -> None:
        """Set network sysctls inside a namespace: /proc/sys/net is that of the thread that opens it.

        Args:
            namespace: whose.
            values: path below /proc/sys, such as `net/ipv4/ip_forward`, and value of each.

        Raises:
            OSError: at the first that this kernel lacks or that takes no such value.
        """
        self._own(namespace)
        pairs = list(values)

        def write() -> None:
            for path, value in pairs:
                # Only these are a namespace's own; any other is the machine's.
                if not path.startswith("net/") or ".." in path.split("/"):
                    raise ValueError(f"{path} is no setting of a network namespace")
                Path("/proc/sys", path).write_text(value)

        inside(NAMESPACES / namespace, write)

    def load_rules(self, namespace: str, text: str, tools: GuestTools) -> None:
        """Change the packet filter of a namespace by one transaction of nft: all of the text, or nothing.

        Args:
            namespace: whose.
            text: what nft reads.
            tools: where nft is.

        Raises:
            FabricError: nft refuses the text, with its own words.
        """
        self._own(namespace)
        environment = {**os.environ, "LD_LIBRARY_PATH": str(tools.libraries)}
        self._run(
            ["nsenter", f"--net={NAMESPACES / namespace}", str(tools.nft), "-f", "-"], text, environment
        )

    def processes(self, namespace: str) -> list[int]:
        """The processes whose network namespace this is."""
        try:
            wanted = os.stat(NAMESPACES / namespace)
        except OSError:
            return []
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    status = os.stat(entry / "ns" / "net")
                except OSError:
                    continue
                if (status.st_dev, status.st_ino) == (wanted.st_dev, wanted.st_ino):
                    found.append(int(entry.name))
        return [pid for pid in found if pid != os.getpid()]

    def kill_processes(self, namespace: str) -> None:
        """Kill every process that lives in a namespace."""
        self._own(namespace)
        for pid in self.processes(namespace):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue

    def _own(self, name: str) -> None:
        if not name.startswith(self.prefix):
            raise ValueError(f"namespace {name} is not one of {self.prefix}*")

    def addresses(self, namespace: str, link: str) -> list[str]:
        """The addresses of a link with their lengths, without those that it made itself."""
        return self.all_addresses(namespace).get(link, [])

    def all_addresses(self, namespace: str) -> dict[str, list[str]]:
        """The addresses of each link of a namespace with their lengths, without those that it made itself."""
        links = json.loads(self._run([self._ip, "-n", namespace, "-json", "address", "show"]))
        return {
            link["ifname"]: [
                f"{one['local']}/{one['prefixlen']}" for one in link["addr_info"] if one["scope"] == "global"
            ]
            for link in links
            # A link that was removed meanwhile is an empty object.
            if link
        }

    def _run(
        self, command: list[str], text: str | None = None, environment: dict[str, str] | None = None
    ) -> str:
        done = subprocess.run(
            command, input=text, capture_output=True, text=True, timeout=60, check=False, env=environment
        )
        if done.returncode != 0:
            detail = " ".join(done.stderr.split())
            raise FabricError(
                f"the network of the sandbox could not be changed: `{' '.join(command)}`: {detail}"
            )
        return done.stdout


def inside(namespace: Path, work: Callable[[], T]) -> T:
    """Run `work` in a thread of its own that has entered a network namespace, and return its result.

    The thread ends afterwards, so that no other code ever runs in the namespace. A socket made by `work`
    belongs to the namespace for as long as it lives, whichever thread uses it.
    """
    outcome: list[T] = []
    failure: list[BaseException] = []

    def run() -> None:
        try:
            enter(namespace)
            outcome.append(work())
        except BaseException as error:
            failure.append(error)

    thread = threading.Thread(target=run, name=f"inside {namespace.name}")
    thread.start()
    thread.join()
    if failure:
        raise failure[0]
    return outcome[0]


def enter(namespace: Path) -> None:
    """Move the calling thread into a network namespace; it stays there, so make a thread for this."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open(namespace) as stream:
        if libc.setns(stream.fileno(), CLONE_NEWNET) != 0:
            code = ctypes.get_errno()
            raise FabricError(f"cannot enter the network namespace {namespace.name}: {os.strerror(code)}")


def missing_rights() -> str | None:
    """Why this process cannot build namespaces and bridges; None when it can."""
    if not Path("/proc/self/status").exists():
        return "network namespaces need Linux"
    line = next(
        line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("CapEff:")
    )
    effective = int(line.split()[1], 16)
    wanted = {"CAP_NET_ADMIN": CAP_NET_ADMIN, "CAP_SYS_ADMIN": CAP_SYS_ADMIN}
    absent = [name for name, bit in wanted.items() if not effective >> bit & 1]
    if os.geteuid() != 0:
        return "a private Docker Engine and its networks need root"
    return f"this process lacks {' and '.join(absent)}" if absent else None
