"""The allocator against slow and obvious ones, over generated pools and claims."""

from ipaddress import IPv4Network
from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from lab.addresses import Claim, FreeSpace, assign_numbers, capacity, host_numbers, overlaps, prefix_for

POOL = IPv4Network("10.128.0.0/26")


@st.composite
def subnets(
    draw: st.DrawFn, within: IPv4Network = IPv4Network("10.127.255.192/25", strict=False)
) -> IPv4Network:
    """A subnet in or about the pool, aligned as subnets are."""
    prefix = draw(st.integers(within.prefixlen, 32))
    size = 1 << (32 - prefix)
    number = draw(st.integers(0, (within.num_addresses - size) // size))
    return IPv4Network((int(within.network_address) + number * size, prefix))


class SlowSpace:
    """A pool as a set of addresses, one by one: too slow for a lab, too simple to be wrong."""

    def __init__(self, pool: IPv4Network) -> None:
        self.pool, self.free = pool, set(pool)

    def remove(self, network: IPv4Network) -> None:
        """Take a subnet out."""
        self.free -= set(network)

    def take(self, prefix: int) -> IPv4Network | None:
        """The first of all subnets of this size of which every address is free."""
        if prefix < self.pool.prefixlen:
            return None
        for network in self.pool.subnets(new_prefix=prefix):
            if set(network) <= self.free:
                self.remove(network)
                return network
        return None


AROUND = IPv4Network("10.128.0.0/25")
STEPS = st.lists(st.one_of(st.integers(24, 32), subnets(AROUND)), max_size=12)


@settings(max_examples=80, deadline=None)
@given(STEPS)
def test_free_space_agrees_with_the_obvious_one(steps: list[int | IPv4Network]) -> None:
    """Taking and removing in any order gives what a set of single addresses gives."""
    quick, slow = FreeSpace(POOL), SlowSpace(POOL)
    for step in steps:
        if isinstance(step, int):
            assert quick.take(step) == slow.take(step)
        else:
            quick.remove(step)
            slow.remove(step)


@settings(max_examples=80, deadline=None)
@given(st.lists(subnets(AROUND), max_size=10))
def test_overlaps_finds_every_claim_that_brute_force_finds(networks: list[IPv4Network]) -> None:
    """A lab has overlaps exactly when some pair does, and every pair told is one."""
    claims = [Claim(network, f"owner {number}") for number, network in enumerate(networks)]
    told = list(overlaps(claims))
    pairs = {frozenset(pair) for pair in combinations(claims, 2) if pair[0].network.overlaps(pair[1].network)}
    assert {frozenset(pair) for pair in told} <= pairs
    later = {max(pair, key=_order) for pair in pairs}
    assert {second for _, second in told} == later


def _order(claim: Claim) -> tuple[int, int, str]:
    return int(claim.network.network_address), claim.network.prefixlen, claim.owner


KEYS = st.sampled_from([f"k{number}" for number in range(8)])


@settings(max_examples=80, deadline=None)
@given(st.sets(KEYS), st.dictionaries(KEYS, st.integers(0, 9), max_size=8), st.permutations(range(12)))
def test_numbers_are_given_once(keys: set[str], recorded: dict[str, int], candidates: list[int]) -> None:
    """Records stay, nobody is given a number that a record holds, and new numbers are the first ones free."""
    given = assign_numbers(sorted(keys, reverse=True), recorded, candidates)
    new = [given[key] for key in sorted(given) if key not in recorded]
    free = [number for number in candidates if number not in recorded.values()]
    assert new == free[: len(new)]
    assert all(given[key] == recorded[key] for key in keys & recorded.keys())


@given(st.integers(0, 4000))
def test_a_new_network_holds_what_it_must(members: int) -> None:
    """The chosen prefix holds twice the members, and one step smaller would not, or would be below a /28."""
    network = IPv4Network(("10.0.0.0", prefix_for(members)))
    assert capacity(network) == len(host_numbers(network))
    assert capacity(network) >= 2 * members
    assert network.prefixlen == 28 or capacity(IPv4Network(("10.0.0.0", network.prefixlen + 1))) < 2 * members
