"""Five network namespaces around a kernel's own nftables.

    left ─── wan0 ┐          ┌ lan0 ─── right
                  │  router  │
     one ── port2 ┴ br-90ab ─┴ port3 ── two

`one` and `two` are on one bridge of the router, whose bridged packets pass its rules as on a
Docker host (br_netfilter). The rules under test are loaded into the router, beside a table
that translates two of its ports as Docker does for a published port.
"""

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from ipaddress import ip_interface
from pathlib import Path
from typing import Literal

from sandbox.checkout import cache_dir
from sandbox.docker.packages import engine_programs
from sandbox.errors import SandboxError
from sandbox.fabric.kernel import NAMESPACES, Kernel, inside, missing_rights
from tests.support.needs import need

Place = Literal["left", "right", "one", "two", "router"]
NEIGHBOURS: tuple[Place, ...] = ("left", "right", "one", "two")
PLACES: tuple[Place, ...] = (*NEIGHBOURS, "router")
BRIDGE = "br-90ab"
INTERFACES: Mapping[Place, str] = {"left": "wan0", "right": "lan0", "one": BRIDGE, "two": BRIDGE}
"""The router's interface towards each neighbour, as its rules see it."""
ADDRESSES: Mapping[Place, tuple[str, ...]] = {
    "left": ("10.90.1.2/24", "10.90.1.3/24", "fd90:1::2/64"),
    "right": ("10.90.2.2/24", "10.90.2.3/24", "fd90:2::2/64"),
    "one": ("10.90.3.11/24", "fd90:3::11/64"),
    "two": ("10.90.3.12/24", "fd90:3::12/64"),
}
ROUTER: Mapping[str, tuple[str, ...]] = {
    "wan0": ("10.90.1.1/24", "fd90:1::1/64"),
    "lan0": ("10.90.2.1/24", "fd90:2::1/64"),
    BRIDGE: ("10.90.3.1/24", "fd90:3::1/64"),
}
TRANSLATED: Mapping[tuple[str, int], tuple[Place, str, int]] = {
    ("10.90.1.1", 8081): ("right", "10.90.2.2", 8080),
    ("10.90.1.1", 8082): ("one", "10.90.3.11", 5001),
}
"""Who answers behind an address and port of the router."""
_TRANSLATION = "\n".join(
    [
        "table ip probes {",
        "chain prerouting {",
        "type nat hook prerouting priority -100;",
        *(
            f"ip daddr {address} {protocol} dport {port} dnat to {target}:{behind}"
            for (address, port), (_, target, behind) in TRANSLATED.items()
            for protocol in ("tcp", "udp")
        ),
        "}",
        "}",
    ]
)
# Multicast listeners and routers announce themselves when an interface comes up, and would be counted.
_SILENCE = """
table inet silence {
  chain prerouting {
    type filter hook prerouting priority -400;
    icmpv6 type { 130-134, 143 } drop
  }
  chain output {
    type filter hook output priority -400;
    icmpv6 type { 130-134, 143 } drop
  }
}
"""
_PREFIX = "hlnft"
_COUNTED = re.compile(r'counter packets (\d+) bytes \d+.*? comment "(r\d+)"')
_SYSCTLS = (
    # Nothing but the probes sends packets, and nothing is sent a second time.
    ("net/ipv6/conf/all/accept_ra", "0"),
    ("net/ipv6/conf/default/accept_ra", "0"),
    ("net/ipv6/conf/default/router_solicitations", "0"),
    ("net/ipv6/conf/default/accept_dad", "0"),
    ("net/ipv4/tcp_synack_retries", "0"),
    # Every reject is heard of.
    ("net/ipv4/icmp_ratelimit", "0"),
    ("net/ipv6/icmp/ratelimit", "0"),
)
_FORWARDING = (
    ("net/ipv4/ip_forward", "1"),
    ("net/ipv6/conf/all/forwarding", "1"),
    ("net/bridge/bridge-nf-call-iptables", "1"),
    ("net/bridge/bridge-nf-call-ip6tables", "1"),
)


def addresses(place: Place) -> tuple[str, ...]:
    """The addresses of a place, without their lengths."""
    with_length = ADDRESSES[place] if place != "router" else sum(ROUTER.values(), ())
    return tuple(str(ip_interface(address).ip) for address in with_length)


class Ground:
    """The namespaces, and the program `nft`.

    Args:
        kernel: bound to a prefix of the test's own.
        environment: in which `nft` is found.
    """

    def __init__(self, kernel: Kernel, environment: Mapping[str, str]) -> None:
        self._kernel, self._environment = kernel, dict(environment)
        self._has_rules = False

    def path(self, place: Place) -> Path:
        """The file through which a thread enters the namespace of a place."""
        return NAMESPACES / self._namespace(place)

    def build(self) -> None:
        """Make namespaces, links, addresses and routes."""
        for place in PLACES:
            self._kernel.add(self._namespace(place))
            self._kernel.write_sysctls(self._namespace(place), _SYSCTLS)
        self._kernel.write_sysctls(self._namespace("router"), _FORWARDING)
        router = [f"link add {BRIDGE} address {_mac(0, 1)} type bridge mcast_snooping 0 forward_delay 0"]
        for number, place in enumerate(NEIGHBOURS):
            router += self._wire(number, place)
        for interface, given in ROUTER.items():
            router += [f"link set {interface} up", *(_address(address, interface) for address in given)]
            router += [
                _neighbour(address, interface, _mac(1, number))
                for number, place in enumerate(NEIGHBOURS)
                if INTERFACES[place] == interface
                for address in ADDRESSES[place]
            ]
        self._kernel.batch(self._namespace("router"), router)
        for number, place in enumerate(NEIGHBOURS):
            self._kernel.batch(self._namespace(place), self._inside(number, place))

    def _wire(self, number: int, place: Place) -> list[str]:
        """The router's end of a neighbour's wire."""
        bridged = INTERFACES[place] == BRIDGE
        port = f"port{number}" if bridged else INTERFACES[place]
        peer = f"peer name eth0 address {_mac(1, number)} netns {self._namespace(place)}"
        lines = [f"link add {port} address {_mac(0, 2 + number)} type veth {peer}"]
        return [*lines, f"link set {port} master {BRIDGE} up"] if bridged else lines

    def _inside(self, number: int, place: Place) -> list[str]:
        """A neighbour's addresses and routes; whom it talks to directly never has to be looked for."""
        gateways = ROUTER[INTERFACES[place]]
        mac = _mac(0, 1 if INTERFACES[place] == BRIDGE else 2 + number)
        lines = ["link set eth0 up", *(_address(address, "eth0") for address in ADDRESSES[place])]
        lines += [_neighbour(address, "eth0", mac) for address in gateways]
        lines += [
            _neighbour(address, "eth0", _mac(1, other))
            for other, beside in enumerate(NEIGHBOURS)
            if beside != place and INTERFACES[beside] == INTERFACES[place]
            for address in ADDRESSES[beside]
        ]
        return [*lines, *(f"route add default via {ip_interface(address).ip}" for address in gateways)]

    def remove(self) -> None:
        """Delete the namespaces, by their names."""
        for namespace in self._kernel.namespaces():
            self._kernel.delete(namespace)

    def load(self, text: str) -> str:
        """Replace all rules of the router; the answer is what nft complained of, empty when it did not."""
        self._has_rules = True
        return self._nft(["-f", "-"], f"flush ruleset\n{_TRANSLATION}\n{_SILENCE}\n{text}").stderr

    def check(self, text: str) -> str:
        """What nft complains of when it loads a text into a kernel without rules; empty when it did not."""
        if self._has_rules:
            self._nft(["flush", "ruleset"], "")
        answer = self._nft(["-f", "-"], text).stderr
        # A text that is refused leaves nothing.
        self._has_rules = answer == ""
        return answer

    def counted(self) -> dict[str, int]:
        """Packets by the comment of each rule that counts."""
        listing = self._nft(["list", "ruleset"], "")
        assert listing.returncode == 0, f"nft cannot list its rules: {listing.returncode} {listing.stderr}"
        return {comment: int(packets) for packets, comment in _COUNTED.findall(listing.stdout)}

    @contextmanager
    def forgotten(self, place: Place, address: str) -> Iterator[None]:
        """Within it, a place does not know the hardware address of one of the router's."""
        namespace, interface = self._namespace(place), INTERFACES[place]
        mac = _mac(0, 2 + NEIGHBOURS.index(place))
        assert interface != BRIDGE, "the bridge has a hardware address of its own"
        self._kernel.batch(namespace, [f"neigh del {address} dev eth0"])
        try:
            yield
        finally:
            self._kernel.batch(namespace, [f"neigh replace {address} lladdr {mac} dev eth0 nud permanent"])

    def described(self, what: str) -> str:
        """nft's own description of an expression or type."""
        return self._nft(["describe", *what.split()], "").stdout

    def _nft(self, arguments: list[str], text: str) -> subprocess.CompletedProcess[str]:
        command = ["nft", *arguments]
        return inside(
            self.path("router"),
            lambda: subprocess.run(
                command, input=text, capture_output=True, text=True, timeout=20, env=self._environment
            ),
        )

    def _namespace(self, place: Place) -> str:
        return f"{self._kernel.prefix}{place}"


def _mac(end: int, number: int) -> str:
    return f"02:90:00:00:{end:02x}:{number:02x}"


def _address(address: str, interface: str) -> str:
    return f"address add {address} dev {interface}{' nodad' if ':' in address else ''}"


def _neighbour(address: str, interface: str, mac: str) -> str:
    return f"neigh add {ip_interface(address).ip} lladdr {mac} dev {interface} nud permanent"


def _sweep() -> None:
    """Remove what tests left that were killed."""
    for owner in {path.name.split("-")[0] for path in NAMESPACES.glob(f"{_PREFIX}*-*")}:
        if not Path("/proc", owner.removeprefix(_PREFIX)).exists():
            Ground(Kernel(f"{owner}-"), {}).remove()


@contextmanager
def ground() -> Iterator[Ground]:
    """The namespaces, built; skips, or fails in CI, where this machine cannot."""
    lacking = missing_rights()
    need(lacking is None, f"network namespaces: {lacking}")
    try:
        environment = engine_programs(cache_dir()).environment()
    except SandboxError as error:
        need(False, str(error))
        raise
    _sweep()
    made = Ground(Kernel(f"{_PREFIX}{os.getpid()}-"), environment)
    try:
        made.build()
        yield made
    finally:
        made.remove()
