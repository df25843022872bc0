"""The evaluator of nftables texts against the kernel: the same rules, real packets, and the same outcome.

Besides what arrives, is answered and is refused, the counters of the rules are compared: they
say which rule decided. `NFTABLES_SEED` sets the first seed of the random rulesets.
"""

import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import product
from random import Random
from typing import Literal

import pytest

from lab.simulate.nftables import read_ruleset
from lab.simulate.nftables.values import ICMP_TYPE, ICMPV6_TYPE, Kind
from tests.evidence.simulate.nftables_cases import CASES
from tests.evidence.simulate.nftables_ground import PLACES, TRANSLATED, Ground, Place, addresses, ground
from tests.evidence.simulate.nftables_journeys import Expected, expected
from tests.evidence.simulate.nftables_probes import PORTS, Probe, Prober
from tests.evidence.simulate.nftables_random import MARK, Writer
from tests.evidence.simulate.nftables_refusals import BY_NFT_TOO, UNKNOWN, rule

pytestmark = pytest.mark.engine

FIRST_SEED = int(os.environ.get("NFTABLES_SEED", "1"))
RULESETS, PROBES = 64, 16
# Seconds of silence that end a try: the packets of a try are on loopback-like wires, and a machine
# may be busy, so what disagrees is tried again with more patience and new connections.
QUIET = (0.02, 0.2, 0.5)
_DECIDES = re.compile(r'counter .*?(?:accept|drop|reject)[^"]* comment "(r\d+)"')
Choose = Callable[[], Sequence[Probe]]


@pytest.fixture(scope="module")
def real() -> Iterator[Ground]:
    """Namespaces with a router that loads rules."""
    with ground() as made:
        yield made


@pytest.fixture(scope="module")
def prober(real: Ground) -> Iterator[Prober]:
    """Listeners and senders in them."""
    made = Prober(real)
    yield made
    made.close()


class Ports:
    """Source ports, each of them once, so that every probe is a new connection."""

    def __init__(self) -> None:
        self._last = 20000

    def next(self) -> int:
        """One that was not used before."""
        self._last += 1
        assert self._last < 61000, "more probes than ports"
        return self._last


PORTS_ONCE = Ports()


def disagreements(
    real: Ground, prober: Prober, text: str, choose: Choose
) -> tuple[list[str], list[Expected]]:
    """Load a text, send probes, and list every difference between what was seen and what the evaluator says."""
    ruleset = read_ruleset(text)
    found: list[str] = []
    outlook: dict[Probe, Expected] = {}
    for quiet in QUIET:
        complaint = real.load(text)
        assert complaint == "", f"nft refuses what the evaluator reads: {complaint}\n{text}"
        outlook = {probe: expected(ruleset, probe) for probe in choose()}
        streams = [probe for probe in outlook if probe.protocol == "tcp"]
        seen = prober.send([probe for probe in outlook if probe.protocol != "tcp"], quiet)
        # A TCP connection is a number of packets that is not known before; the others are one each way.
        counted = real.counted()
        found = _miscounted(text, counted, [outlook[probe] for probe in outlook if probe.protocol != "tcp"])
        seen |= prober.connect(streams, quiet)
        found += [
            f"{probe}\n  seen: {seen[probe]}\n  expected: {view.sight}, by\n    "
            + "\n    ".join(map(str, view.decisions))
            for probe, view in outlook.items()
            if not view.fits(seen[probe])
        ]
        if not found:
            break
    return found, list(outlook.values())


def _miscounted(text: str, counted: dict[str, int], outlook: Sequence[Expected]) -> list[str]:
    """The rules that decided about more or fewer packets than the evaluator says."""
    decisions = [one for view in outlook for last in view.decisions for one in (*last.passed, last)]
    wanted = Counter(decision.comment for decision in decisions)
    # What a reject sends is counted as well, and is no packet of a probe.
    extra = any(decision.action == "reject" for decision in decisions)
    return [
        f"rule {comment} decided about {counted[comment]} packets, and should about {wanted[comment]}"
        for comment in _DECIDES.findall(text)
        if counted[comment] < wanted[comment] or (counted[comment] > wanted[comment] and not extra)
    ]


def random_probes(random: Random) -> list[Probe]:
    """Probes between two places each, sometimes to what is published at the router."""
    return [_random_probe(random) for _ in range(PROBES)]


def _random_probe(random: Random) -> Probe:
    source = random.choice(PLACES)
    address = random.choice(addresses(source))
    six = ":" in address
    protocols: Sequence[Literal["udp", "tcp", "icmp"]] = (
        ("udp", "udp", "tcp") if six else ("udp", "udp", "tcp", "icmp")
    )
    protocol = random.choice(protocols)
    others = [place for place in PLACES if place != source or place == "router"]
    target = random.choice([a for place in others for a in addresses(place) if (":" in a) == six])
    port = random.choice(PORTS)
    if source == "left" and not six and protocol != "icmp" and random.random() < 0.4:
        target, port = random.choice(list(TRANSLATED))
    mark = MARK if source == "router" and random.random() < 0.5 else 0
    return Probe(source, address, protocol, PORTS_ONCE.next(), target, port, mark)


def test_random_rulesets_agree_with_the_kernel(real: Ground, prober: Prober) -> None:
    """For random rulesets and probes, kernel and evaluator agree on every outcome and on every rule that decided."""
    outlook: list[Expected] = []
    for seed in range(FIRST_SEED, FIRST_SEED + RULESETS):
        random = Random(seed)
        text = Writer(random).table()
        found, views = disagreements(real, prober, text, partial(random_probes, random))
        assert not found, "\n".join([f"NFTABLES_SEED={seed}", *found, text])
        outlook += views
    _assert_varied(outlook)


def _assert_varied(outlook: Sequence[Expected]) -> None:
    """The comparison says something only where every outcome occurs, and often."""
    assert len(outlook) == RULESETS * PROBES
    answered = sum(view.sight.answered for view in outlook)
    assert 0.2 < answered / len(outlook) < 0.8
    decided = Counter(
        (decision.hook, decision.action)
        for view in outlook
        for decision in view.decisions
        if not decision.rule.startswith(("policy", "no base chain"))
    )
    rare = [
        (hook, action)
        for hook in ("input", "forward")
        for action in ("accept", "drop", "reject")
        if decided[hook, action] < 5
    ]
    assert not rare, decided


def every_probe() -> list[Probe]:
    """Probes from every place to every other and the router to itself, and to what is published."""
    found: list[Probe] = []
    for source, target in product(PLACES, PLACES):
        if source == target != "router":
            continue
        for address, other in product(addresses(source), addresses(target)):
            if (":" in address) == (":" in other):
                found += _on_every_port(source, address, [(other, port) for port in PORTS])
    return found + _on_every_port("left", addresses("left")[0], list(TRANSLATED))


def _on_every_port(source: Place, address: str, targets: Sequence[tuple[str, int]]) -> list[Probe]:
    found: list[Probe] = []
    for target, port in targets:
        found.append(Probe(source, address, "udp", PORTS_ONCE.next(), target, port))
        found.append(Probe(source, address, "tcp", PORTS_ONCE.next(), target, port))
        if port == PORTS[0] and ":" not in address:
            found.append(Probe(source, address, "icmp", PORTS_ONCE.next(), target, port))
    return found


@pytest.mark.parametrize("text", CASES.values(), ids=CASES)
def test_what_is_easily_mistaken_agrees_with_the_kernel(real: Ground, prober: Prober, text: str) -> None:
    """Where intuition about nft fails, evaluator and kernel agree."""
    found, outlook = disagreements(real, prober, text, every_probe)
    assert not found, "\n".join([*found, text])
    assert {view.sight.answered for view in outlook} == {True, False}


def test_neighbour_discovery_is_untracked(real: Ground, prober: Prober) -> None:
    """Who looks for a neighbour's address over IPv6 sends a packet that conntrack does not follow."""
    text = rule(
        'icmpv6 type nd-neighbor-solicit ct state untracked counter accept comment "r1"',
        'icmpv6 type nd-neighbor-solicit counter drop comment "r2"',
    )
    assert real.load(text) == ""
    read_ruleset(text)
    with real.forgotten("left", "fd90:1::1"):
        prober.send([Probe("left", "fd90:1::2", "udp", PORTS_ONCE.next(), "fd90:1::1", PORTS[0])], 0.3)
        counted = real.counted()
    assert counted["r1"] > 0
    assert counted["r2"] == 0


@pytest.mark.parametrize("text", [text for text, _, _ in BY_NFT_TOO])
def test_nft_refuses_what_the_evaluator_refuses_for_its_sake(real: Ground, text: str) -> None:
    """Nothing is called impossible that the kernel would load."""
    assert real.check(text) != ""


def test_what_the_evaluator_does_not_know_is_nft(real: Ground) -> None:
    """The texts that are refused as unknown are real: nft reads most of them."""
    read = [text for text, _, _ in UNKNOWN if real.check(text) == ""]
    assert len(read) >= len(UNKNOWN) / 2


@pytest.mark.parametrize(("kind", "what"), [(ICMP_TYPE, "icmp type"), (ICMPV6_TYPE, "icmpv6 type")])
def test_symbolic_names_are_those_of_nft(real: Ground, kind: Kind, what: str) -> None:
    """Names of ICMP types stand for the numbers that nft gives them, and none is missing."""
    described = re.findall(r"^\t(\S+)\s+(\d+)$", real.described(what), flags=re.MULTILINE)
    assert {name: int(number) for name, number in described} == dict(kind.names)
