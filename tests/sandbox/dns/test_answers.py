"""What the name server says about a name, rule by rule."""

from typing import Any

import pytest

from tests.sandbox.dns.account import account, asked, outcome, said

A = {"type": "A", "content": "10.10.20.11"}
SOA = ["lab.example. SOA"]
NOTHING = ("NOERROR", SOA, True)
NO_NAME = ("NXDOMAIN", SOA, True)


def test_a_zone_begins_with_soa_and_ns() -> None:
    """Both are answers, not hints in another section; the SOA is forgotten soon, and so is what is not there."""
    zones = account()
    (soa,) = said(zones, "lab.example", "SOA")
    assert soa == ("lab.example. 5 IN SOA a.ns.cloudflare.com. dns.cloudflare.com. 7 10000 2400 604800 5")
    assert said(zones, "lab.example", "NS") == [
        "lab.example. 86400 IN NS a.ns.cloudflare.com.",
        "lab.example. 86400 IN NS b.ns.cloudflare.com.",
    ]
    assert outcome(zones, "lab.example", "SOA") == ("NOERROR", [], True)


@pytest.mark.parametrize(
    ("record", "line"),
    [
        (A, "A 10.10.20.11"),
        ({"type": "AAAA", "content": "FD00::1"}, "AAAA fd00::1"),
        ({"type": "CNAME", "content": "Other.Example.net."}, "CNAME other.example.net."),
        ({"type": "TXT", "content": '"one two" "three"'}, 'TXT "one two" "three"'),
        ({"type": "TXT", "content": "plain"}, 'TXT "plain"'),
        ({"type": "TXT", "content": '"a \\"b\\""'}, 'TXT "a \\"b\\""'),
        ({"type": "MX", "content": "mail.lab.example", "priority": 5}, "MX 5 mail.lab.example."),
        (
            {"type": "CAA", "data": {"flags": 0, "tag": "issue", "value": 'ca.example; x="y"'}},
            'CAA 0 issue "ca.example; x=\\"y\\""',
        ),
        (
            {"type": "SRV", "data": {"priority": 1, "weight": 2.0, "port": 443, "target": "h.lab.example"}},
            "SRV 1 2 443 h.lab.example.",
        ),
        ({"type": "PTR", "content": "h.lab.example"}, "PTR h.lab.example."),
    ],
)
def test_a_record_is_answered_as_it_is(record: dict[str, Any], line: str) -> None:
    """Each type that is served, with its TTL, under the name in the letters that were asked."""
    zones = account({"name": "app", **record})
    assert said(zones, "App.lab.example", record["type"]) == [f"App.lab.example. 300 IN {line}"]


def test_a_long_text_is_cut_in_pieces() -> None:
    """Unquoted it may have more than one string can hold."""
    zones = account({"type": "TXT", "name": "long", "content": "x" * 600})
    (rrset,) = asked(zones, "long.lab.example", "TXT").answer
    assert [len(string) for string in rrset[0].strings] == [255, 255, 90]


def test_an_automatic_ttl_is_five_minutes() -> None:
    """As at Cloudflare; of several records the shortest counts for all."""
    zones = account(
        {**A, "name": "one", "ttl": 1},
        {**A, "name": "two", "ttl": 600},
        {**A, "name": "two", "ttl": 60, "content": "10.10.20.12"},
    )
    assert [line.split()[1] for line in said(zones, "one.lab.example")] == ["300"]
    assert [line.split()[1] for line in said(zones, "two.lab.example")] == ["60", "60"]


def test_a_name_without_the_type_exists() -> None:
    """Nothing is answered, and the SOA says for how long; also where only a name below it has records."""
    zones = account({**A, "name": "a.b"}, {"type": "TLSA", "name": "other", "data": {"usage": 3}})
    assert outcome(zones, "a.b.lab.example", "AAAA") == NOTHING
    assert outcome(zones, "b.lab.example") == NOTHING
    assert outcome(zones, "lab.example") == NOTHING
    assert outcome(zones, "other.lab.example", "TLSA") == NOTHING
    assert outcome(zones, "c.lab.example") == NO_NAME
    assert outcome(zones, "c.a.b.lab.example") == NO_NAME


def test_what_is_in_no_zone_is_refused() -> None:
    """Also the name above a zone, and one that only ends in the same letters."""
    zones = account({**A, "name": "@"})
    for name in (".", "example.", "net.", "otherlab.example.", "lab.example.net."):
        assert outcome(zones, name) == ("REFUSED", [], False)


def test_the_closest_zone_answers() -> None:
    """A zone below another one has its own names; the other's records there are not seen."""
    zones = account({**A, "name": "x.sub.example.org", "zone": "example.org"})
    assert outcome(zones, "x.sub.example.org") == ("NXDOMAIN", ["sub.example.org. SOA"], True)


def test_a_wildcard_stands_for_names_that_do_not_exist() -> None:
    """Under each such name, of any depth, for the types that it has."""
    zones = account({**A, "name": "*.apps"})
    assert said(zones, "x.apps.lab.example") == ["x.apps.lab.example. 300 IN A 10.10.20.11"]
    assert said(zones, "x.y.apps.lab.example") == ["x.y.apps.lab.example. 300 IN A 10.10.20.11"]
    assert outcome(zones, "x.apps.lab.example", "TXT") == NOTHING
    assert outcome(zones, "apps.lab.example") == NOTHING
    assert outcome(zones, "x.lab.example") == NO_NAME


def test_a_name_that_exists_blocks_the_wildcard() -> None:
    """For itself, whatever type it has, and for all names below it (RFC 4592, section 2.2.1)."""
    zones = account(
        {**A, "name": "*"},
        {"type": "TXT", "name": "host", "content": "x"},
        {"type": "TXT", "name": "_tcp.deep", "content": "x"},
    )
    assert outcome(zones, "host.lab.example") == NOTHING
    assert outcome(zones, "deep.lab.example") == NOTHING
    assert outcome(zones, "below.host.lab.example") == NO_NAME
    assert outcome(zones, "below.deep.lab.example") == NO_NAME
    assert said(zones, "free.lab.example") != []


def test_a_cname_is_followed_inside_our_zones() -> None:
    """From zone to zone, through wildcards; at a name of somebody else the chain ends."""
    zones = account(
        {"type": "CNAME", "name": "www", "content": "x.example.org"},
        {"type": "CNAME", "name": "*", "content": "end.lab.example", "zone": "example.org"},
        {**A, "name": "end"},
        {"type": "CNAME", "name": "away", "content": "elsewhere.net"},
    )
    assert said(zones, "www.lab.example") == [
        "www.lab.example. 300 IN CNAME x.example.org.",
        "x.example.org. 300 IN CNAME end.lab.example.",
        "end.lab.example. 300 IN A 10.10.20.11",
    ]
    assert said(zones, "www.lab.example", "CNAME") == ["www.lab.example. 300 IN CNAME x.example.org."]
    assert said(zones, "away.lab.example") == ["away.lab.example. 300 IN CNAME elsewhere.net."]
    assert outcome(zones, "away.lab.example") == ("NOERROR", [], True)


def test_the_code_is_about_the_end_of_the_chain() -> None:
    """A CNAME to a name that is not there is NXDOMAIN, and to one without the type is an empty answer."""
    zones = account(
        {"type": "CNAME", "name": "www", "content": "gone.lab.example"},
        {"type": "CNAME", "name": "half", "content": "end.lab.example"},
        {**A, "name": "end"},
    )
    assert outcome(zones, "www.lab.example") == NO_NAME
    assert outcome(zones, "half.lab.example", "TXT") == NOTHING
    assert len(said(zones, "half.lab.example", "TXT")) == 1


def test_a_loop_ends() -> None:
    """With the links that there are; a flat one has nothing to show."""
    zones = account(
        {"type": "CNAME", "name": "a", "content": "b.lab.example"},
        {"type": "CNAME", "name": "b", "content": "a.lab.example"},
        {"type": "CNAME", "name": "@", "content": "example.org"},
        {"type": "CNAME", "name": "@", "content": "lab.example", "zone": "example.org"},
    )
    assert len(said(zones, "a.lab.example")) == 8
    assert outcome(zones, "lab.example") == ("SERVFAIL", [], False)


def test_a_text_beside_a_cname_is_answered() -> None:
    """Cloudflare lets both stand, and who asks for the text means it."""
    zones = account(
        {"type": "CNAME", "name": "www", "content": "end.lab.example"},
        {"type": "TXT", "name": "www", "content": "own"},
        {"type": "TXT", "name": "end", "content": "other"},
    )
    assert said(zones, "www.lab.example", "TXT") == ['www.lab.example. 300 IN TXT "own"']


def test_a_flat_cname_shows_the_addresses_it_leads_to() -> None:
    """At the apex always; nobody here can ask for those that are elsewhere."""
    zones = account(
        {"type": "CNAME", "name": "@", "content": "end.lab.example"},
        {"type": "CNAME", "name": "end", "content": "x.example.org"},
        {**A, "name": "x", "zone": "example.org"},
        {"type": "CNAME", "name": "@", "content": "elsewhere.net", "zone": "example.org"},
        {"type": "CNAME", "name": "f", "content": "lab.example", "settings": {"flatten_cname": True}},
    )
    assert said(zones, "lab.example") == ["lab.example. 300 IN A 10.10.20.11"]
    assert said(zones, "f.lab.example") == ["f.lab.example. 300 IN A 10.10.20.11"]
    for kind in ("AAAA", "CNAME", "TXT"):
        assert outcome(zones, "lab.example", kind) == NOTHING
        assert said(zones, "lab.example", kind) == []
    assert len(said(zones, "lab.example", "SOA")) == 1
    assert outcome(zones, "example.org") == ("SERVFAIL", [], False)


@pytest.mark.parametrize("kind", ["A", "AAAA", "CNAME"])
def test_a_proxied_record_hides_its_content(kind: str) -> None:
    """Whatever it is, an address for documentation stands in for the proxy, which is not here."""
    content = {"A": "203.0.113.5", "AAAA": "fd00::1", "CNAME": "end.lab.example"}[kind]
    zones = account({"type": kind, "name": "app", "content": content, "proxied": True, "ttl": 1})
    assert said(zones, "app.lab.example") == ["app.lab.example. 300 IN A 192.0.2.1"]
    assert outcome(zones, "app.lab.example", "AAAA") == NOTHING
    assert outcome(zones, "app.lab.example", "CNAME") == NOTHING


def test_a_name_that_was_given_away_is_referred() -> None:
    """To its name servers, without authority, for itself and for all below it."""
    zones = account(
        {"type": "NS", "name": "away", "content": "ns.elsewhere.net"},
        {**A, "name": "x.away"},
        {"type": "CNAME", "name": "www", "content": "x.away.lab.example"},
    )
    for name in ("away.lab.example", "x.away.lab.example"):
        assert outcome(zones, name) == ("NOERROR", ["away.lab.example. NS"], False)
        assert said(zones, name) == []
    assert outcome(zones, "www.lab.example") == ("NOERROR", ["away.lab.example. NS"], True)


def test_any_is_answered_shortly() -> None:
    """RFC 8482: whoever asks for everything gets a note."""
    zones = account({**A, "name": "app"})
    assert said(zones, "app.lab.example", "ANY") == ['app.lab.example. 86400 IN HINFO "RFC8482" ""']
    assert outcome(zones, "gone.lab.example", "ANY") == NO_NAME
