"""Spans of addresses, against one address at a time."""

from ipaddress import ip_address, ip_network
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.portfilter.addresses import (
    Span,
    families,
    link_local,
    list_spans,
    merged,
    network_span,
    set_spans,
)

ADDRESSES = [ip_address(f"192.0.2.{n}") for n in range(256)]


def _holds(spans: tuple[Span, ...], number: int) -> bool:
    return any(span.version == 4 and span.first <= number <= span.last for span in spans)


@st.composite
def _networks(draw: st.DrawFn) -> str:
    length = draw(st.integers(24, 32))
    return str(ip_network(f"192.0.2.{draw(st.integers(0, 255))}/{length}", strict=False))


@settings(deadline=None)
@given(st.dictionaries(_networks(), st.booleans(), max_size=8))
def test_the_most_specific_entry_of_a_set_decides(entries: dict[str, bool]) -> None:
    """As the kernel's hash:net does for each address: its longest entry, unless that is an exception."""
    spans = set_spans([(network_span(text), exception) for text, exception in entries.items()])
    longest_first = sorted(map(ip_network, entries), key=lambda network: -network.prefixlen)
    for address in ADDRESSES:
        longest = next((network for network in longest_first if address in network), None)
        assert _holds(spans, int(address)) == (longest is not None and not entries[str(longest)])


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=8))
def test_merged_spans_hold_the_same_and_do_not_touch(pairs: list[tuple[int, int]]) -> None:
    """nft refuses spans that overlap; those that touch are one."""
    given_spans = tuple(Span(4, min(pair), max(pair)) for pair in pairs)
    found = merged(given_spans)
    assert all(_holds(found, n) == _holds(given_spans, n) for n in range(45))
    assert all(before.last + 1 < after.first for before, after in pairwise(found))


def test_families_stay_apart() -> None:
    """The last IPv4 address and the first of IPv6 do not touch; two parts share the families that both have."""
    both = list_spans("255.255.255.255,::-::1")
    assert [str(span) for span in both] == ["255.255.255.255", "::/127"]
    assert families(both, list_spans("10.0.0.0/8")) == (4,)
    assert families(None, None) == (4, 6)
    assert families(both, ()) == ()


@pytest.mark.parametrize(
    "text", ["10.0.0.1", "10.0.0.0/30", "0.0.0.0/0", "::/0", "10.0.0.1-10.0.0.2", "fd00::2/127"]
)
def test_a_span_is_written_as_nft_reads_it(text: str) -> None:
    """As an address, as a network where it is one, else as a range."""
    assert [str(span) for span in list_spans(text)] == [text]


@pytest.mark.parametrize("text", ["10.0.0.9-10.0.0.1", "10.0.0.1-::1", "nobody", ""])
def test_what_is_no_list_of_addresses_is_refused(text: str) -> None:
    """A falling range, a range of two families, a word, nothing."""
    with pytest.raises(ValueError, match=r"."):
        list_spans(text)


def test_link_local_addresses_come_from_the_mac() -> None:
    """RFC 4291, appendix A: the universal bit is turned, and ff:fe is in the middle."""
    assert str(link_local("BC:24:11:00:14:0B")) == "fe80::be24:11ff:fe00:140b"
