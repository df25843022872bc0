"""The rules that Proxmox's compiler made, followed as the kernel follows them: a second opinion for tests.

It knows the matches and targets of one `iptables-restore` text and refuses any other.
"""

import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, ip_network

_ICMP = {"fragmentation-needed": (3, 4), "time-exceeded": (11, None)}
_MARK_BIT = 0x80000000


@dataclass
class Seen:
    """A new packet at one hook."""

    source: IPv4Address | IPv6Address
    destination: IPv4Address | IPv6Address
    protocol: str
    source_port: int = 0
    destination_port: int = 0
    icmp: tuple[int, int] | None = None
    sent_to: str = "UNICAST"
    mac: str = ""
    port_in: str = ""
    """The bridge port where it came in; empty where it is not bridged."""
    port_out: str = ""
    mark: int = 0


@dataclass(frozen=True)
class Step:
    """One rule."""

    matches: tuple[Callable[[Seen], bool], ...]
    target: str
    goto: bool
    mark: int | None = None


@dataclass
class CompiledRules:
    """Chains by name."""

    chains: Mapping[str, list[Step]]

    def verdict(self, hook: str, packet: Seen) -> str:
        """The verdict of one hook: `ACCEPT`, `DROP` or `REJECT`."""
        return self._walk(hook, packet) or "ACCEPT"

    def _walk(self, chain: str, packet: Seen) -> str:
        """The verdict of a chain; empty where it returns."""
        for step in self.chains[chain]:
            if not all(match(packet) for match in step.matches):
                continue
            if step.target in ("ACCEPT", "DROP", "REJECT"):
                return step.target
            if step.target == "RETURN":
                return ""
            if step.target == "MARK":
                packet.mark = step.mark or 0
            elif step.target not in ("", "CONNMARK"):
                verdict = self._walk(step.target, packet)
                if verdict or step.goto:
                    return verdict
        return ""


def read_compiled(rules: str, sets: str) -> CompiledRules:
    """Read the texts for `iptables-restore` and `ipset restore`."""
    members: dict[str, list[IPv4Network]] = {}
    for line in sets.splitlines():
        words = line.split()
        if words[0] == "add":
            members.setdefault(words[1], []).append(IPv4Network(words[2]))
    chains: dict[str, list[Step]] = {name: [] for name in ("INPUT", "OUTPUT", "FORWARD")}
    for line in rules.splitlines():
        if line.startswith(":"):
            chains[line[1:].split()[0]] = []
        elif line.startswith("-A "):
            _, chain, *words = shlex.split(line)
            chains[chain].append(_step(words, members))
    return CompiledRules(chains)


def _step(words: list[str], members: Mapping[str, list[IPv4Network]]) -> Step:
    matches: list[Callable[[Seen], bool]] = []
    target, goto, mark, negated = "", False, None, False
    rest = iter(words)
    for word in rest:
        if word == "!":
            negated = True
        elif word in ("-j", "-g"):
            target, goto = next(rest), word == "-g"
        elif word == "--set-mark":
            mark = int(next(rest).partition("/")[0], 16 if target == "MARK" else 10)
        elif word in ("-m", "--match", "--comment", "--reject-with"):
            next(rest)
        elif word != "--physdev-is-bridged":
            found = _match(word, rest, members)
            matches.append(_inverse(found) if negated else found)
            negated = False
        else:
            matches.append(lambda packet: bool(packet.port_in))
    return Step(tuple(matches), target, goto, mark)


def _inverse(match: Callable[[Seen], bool]) -> Callable[[Seen], bool]:
    return lambda packet: not match(packet)


def _match(
    word: str, rest: Iterator[str], members: Mapping[str, list[IPv4Network]]
) -> Callable[[Seen], bool]:
    value = next(rest)
    if word == "--match-set":
        end, networks = next(rest), members[value]
        assert end == "src"
        return lambda packet: any(packet.source in network for network in networks)
    if word == "--tcp-flags":
        wanted, mask = set(next(rest).split(",")) - {"NONE"}, set(value.split(","))
        return lambda packet: {"SYN"} & mask == wanted
    if word in ("--dport", "--sport", "--dports"):
        spans = [tuple(int(n) for n in part.split(":")) for part in value.split(",")]
        name = "source_port" if word == "--sport" else "destination_port"
        return lambda packet: any(span[0] <= getattr(packet, name) <= span[-1] for span in spans)
    if word in ("-s", "-d"):
        network, name = ip_network(value), "source" if word == "-s" else "destination"
        return lambda packet: getattr(packet, name) in network
    if word in ("--physdev-in", "--physdev-out"):
        name = "port_in" if word == "--physdev-in" else "port_out"
        return lambda packet: _is_port(value, getattr(packet, name))
    if word == "--icmp-type":
        number, code = _ICMP[value]
        return lambda packet: (
            packet.icmp is not None and (packet.icmp[0] == number and code in (None, packet.icmp[1]))
        )
    known: dict[str, Callable[[Seen], bool]] = {
        "-p": lambda packet: packet.protocol == value,
        "-i": lambda packet: False,
        "-o": lambda packet: False,
        "--ctstate": lambda packet: "NEW" in value.split(","),
        "--dst-type": lambda packet: packet.sent_to == value,
        "--src-type": lambda packet: False,
        "--mac-source": lambda packet: packet.mac == value,
        "--mark": lambda packet: packet.mark & _MARK_BIT == _MARK_BIT,
    }
    return known[word]


def _is_port(pattern: str, port: str) -> bool:
    return port.startswith(pattern[:-1]) if pattern.endswith("+") else port == pattern
