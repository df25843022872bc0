"""One running sandbox for the tests of a file; each test has a guest and names of its own."""

import itertools
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.portfilter.ground import Running, running
from tests.sandbox.portfilter.probes import Probe, answering, ask_all

SEGMENT, PEER = "vmbr0.20", "10.10.20.2"
PORTS = (80, 81, 82)
_VMIDS = itertools.count(101)


@dataclass(frozen=True)
class Asked:
    """A guest that answers on `PORTS`, and somebody on its segment.

    Attributes:
        sandbox: where it runs.
        vmid: its id.
        firewall: the path of its firewall in the API.
        namespace: its own.
        peer: the other's namespace.
        address: its own.
    """

    sandbox: Running
    vmid: int
    firewall: str
    namespace: Path
    peer: Path
    address: str

    def options(self, **values: Any) -> None:
        """Set options of its firewall."""
        self.sandbox.api.ok("PUT", f"{self.firewall}/options", **values)

    def rules(self, *rules: dict[str, Any]) -> None:
        """Put rules before those that it has, in this order."""
        for rule in reversed(rules):
            self.sandbox.api.ok("POST", f"{self.firewall}/rules", **rule)

    def answers(self, source: Path | None = None, target: str = "") -> dict[str, list[str]]:
        """What somebody on its segment gets on each of `PORTS`, by protocol."""
        return self._ask(source or self.peer, target or self.address)

    def gets(self, target: str = PEER) -> dict[str, list[str]]:
        """What it gets from somebody on its segment, who answers on the same ports."""
        return self._ask(self.namespace, target)

    def _ask(self, source: Path, target: str) -> dict[str, list[str]]:
        probes = [Probe(source, target, protocol, port) for protocol in ("tcp", "udp") for port in PORTS]
        found = ask_all(probes)
        return {p: [found[one] for one in probes if one.protocol == p] for p in ("tcp", "udp")}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Running]:
    """A running sandbox whose cluster's firewall is on."""
    with running() as own:
        own.api.ok("PUT", "cluster/firewall/options", enable=1)
        yield own


@pytest.fixture
def asked(sandbox: Running) -> Iterator[Asked]:
    """A guest whose firewall is on and has no rules; it and its peer answer everybody."""
    vmid = next(_VMIDS)
    address = f"10.10.20.{vmid}"
    firewall = sandbox.guest(vmid, f"{address}/24")
    own = Asked(
        sandbox=sandbox,
        vmid=vmid,
        firewall=firewall,
        namespace=sandbox.namespace(f"vm{vmid}"),
        peer=sandbox.peer(SEGMENT, f"{PEER}/24"),
        address=address,
    )
    own.options(enable=1)
    with ExitStack() as stack:
        for namespace in (own.namespace, own.peer):
            stack.enter_context(answering(namespace, PORTS))
        yield own
    sandbox.api.done("POST", f"nodes/pve-a/qemu/{vmid}/status/stop")
