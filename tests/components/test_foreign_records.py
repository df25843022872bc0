"""Public records of others: found before anything is registered, and told with where, why and what to do."""

from typing import Any

import pulumi
import pulumi_cloudflare as cloudflare
import pytest

from components.foreign_records import (
    ExistingRecord,
    ZoneProblems,
    in_the_way,
    refuse_foreign_records,
)
from lab.plan.records import DnsPlan, DnsRecordPlan, LabPlan
from tests.components import records as r
from tests.support.engine import Recording, Zones, record

WWW = DnsRecordPlan(name="www.lab.example", zone="lab.example", type="A", content="10.0.0.1")
CAA = DnsRecordPlan(name="lab.example", zone="lab.example", type="CAA", content="issue letsencrypt.org")


def existing(type_: str, content: str, *, name: str = "www.lab.example", comment: str = "") -> ExistingRecord:
    """A record that the zone has."""
    return ExistingRecord(name=name, type=type_, content=content, comment=comment)


def problems(*found: ExistingRecord, wanted: DnsRecordPlan = WWW) -> list[str]:
    """What stands in the way of one wanted record."""
    return [issue.problem for issue in in_the_way([wanted], found, "dev")]


@pytest.mark.parametrize(
    ("type_", "content"),
    [("A", "10.0.0.1"), ("A", "198.51.100.7"), ("AAAA", "2001:db8::1"), ("CNAME", "elsewhere.example")],
)
def test_another_address_of_the_name_is_in_the_way(type_: str, content: str) -> None:
    """Whatever leads visitors of the name somewhere, the very same address among it."""
    assert problems(existing(type_, content)) == [
        f"www.lab.example {type_} {content} exists and was not created by this environment (it has no comment)"
    ]


def test_what_leads_nobody_anywhere_stays() -> None:
    """Mail, proofs of ownership and other names are nobody's business here."""
    assert problems(existing("TXT", "v=spf1 -all"), existing("MX", "mail.example")) == []
    assert problems(existing("A", "198.51.100.7", name="blog.lab.example")) == []


@pytest.mark.parametrize(
    ("comment", "is_ours"),
    [
        ("homelab/dev: route to service:web/app", True),
        ("homelab/dev: anything", True),
        ("homelab/prod: route to service:web/app", False),
        ("homelab/development: route to service:web/app", False),
        ("see homelab/dev: below", False),
    ],
)
def test_the_comment_says_whose_a_record_is(comment: str, is_ours: bool) -> None:
    """It begins with the environment; another environment is somebody else."""
    assert (problems(existing("A", "10.0.0.9", comment=comment)) == []) is is_ours


def test_other_authorities_may_be_named_beside_ours() -> None:
    """Of a CAA record only the very same one is in the way: the API refuses it a second time."""
    same = existing("CAA", '0 issue "letsencrypt.org"', name="lab.example")
    other = existing("CAA", '0 issue "ca.example"', name="lab.example")
    assert problems(other, wanted=CAA) == []
    assert len(problems(other, same, wanted=CAA)) == 1


def run(zones: Zones, **dns: Any) -> Recording:
    """A program that looks first and creates then."""
    given: dict[str, Any] = {"zones": ("lab.example",), "records": (WWW,), **dns}
    plan = LabPlan(environment="dev", domain="lab.example", dns=DnsPlan(provider="cloudflare", **given))

    def program() -> None:
        provider = cloudflare.Provider("cloudflare", api_token=pulumi.Output.secret(r.CANARY))
        refuse_foreign_records(plan, provider)
        cloudflare.DnsRecord("www", zone_id="z", name=WWW.name, type="A", ttl=1, content=WWW.content)

    return record(program, zones=zones)


def refused(zones: Zones, **dns: Any) -> str:
    """What the program says and stops with."""
    with pytest.raises(ZoneProblems) as caught:
        run(zones, **dns)
    assert r.CANARY not in str(caught.value)
    return str(caught.value)


def test_a_free_zone_is_filled() -> None:
    """Where nothing is in the way the program goes on; each zone is read once, by the lab's own provider."""
    recording = run(Zones())
    assert [token.rpartition(":")[2] for token, _ in recording.invokes] == ["getZone", "getDnsRecords"]
    assert {provider.rpartition("::")[0] for _, provider in recording.invokes} == {
        recording.one("pulumi:providers:cloudflare").urn
    }
    assert [found.name for found in recording.of("DnsRecord")] == ["www"]


def test_everything_that_is_in_the_way_is_told_at_once() -> None:
    """Records of two zones and a zone that is not there are one message."""
    taken = {"name": "www.lab.example", "type": "A", "content": "198.51.100.7", "comment": "the old blog"}
    elsewhere = [
        DnsRecordPlan(name=zone, zone=zone, type="A", content="10.0.0.1") for zone in ("b.org", "c.org")
    ]
    zones = Zones(
        records={"lab.example": [taken], "b.org": [{"name": "b.org", "type": "A", "content": "192.0.2.1"}]},
        missing=frozenset({"c.org"}),
    )
    text = refused(zones, records=(WWW, *elsewhere))
    assert text.splitlines()[0] == "the public zones have 3 problems; nothing was created"
    assert (
        "  - zone lab.example: www.lab.example A 198.51.100.7 exists and was not created by this environment "
        '(its comment is "the old blog")\n'
        "      repair: delete it, or choose another name; if it is this lab's, begin its comment with "
        '"homelab/dev:"'
    ) in text
    assert "zone b.org: b.org A 192.0.2.1 exists" in text
    assert "zone c.org: the account of the token has no such zone" in text


def test_a_token_that_may_only_read_is_refused() -> None:
    """It would fail at the first record, when half of the lab exists."""
    text = refused(Zones(permissions=("#dns_records:read", "#zone:read")))
    assert "it may read records and not write them" in text
    assert "DNS Edit" in text


def test_a_lab_without_public_records_asks_nobody() -> None:
    """No zone is read for names that nobody publishes."""
    assert run(Zones(missing=frozenset({"lab.example"})), records=()).invokes == []
