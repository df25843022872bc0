"""DNS records of the sandbox's Cloudflare, through the official client and raw requests."""

import statistics
import time
from typing import Any

import cloudflare
import pytest
from cloudflare import Cloudflare
from cloudflare.types.dns import ARecord, CAARecord
from pydantic import TypeAdapter

from sandbox.cloudflare.records import comparable
from tests.sandbox.cloudflare.conftest import Send

A = {"type": "A", "name": "app", "content": "203.0.113.5", "ttl": 300}
CAA = {"type": "CAA", "name": "@", "ttl": 1, "data": {"flags": 0, "tag": "issue", "value": "letsencrypt.org"}}


def codes(envelope: dict[str, Any]) -> list[int]:
    """The error codes of an envelope."""
    return [error["code"] for error in envelope["errors"]]


def test_life_of_a_record(client: Cloudflare, zone_id: str) -> None:
    """Created, read, replaced, edited and deleted by the official client; then it does not exist."""
    made = client.dns.records.create(zone_id=zone_id, type="A", name="app", content="203.0.113.5", ttl=300)
    assert isinstance(made, ARecord)
    assert (made.name, made.proxied, made.ttl, made.proxiable) == ("app.example.org", False, 300, True)
    assert client.dns.records.get(made.id, zone_id=zone_id) == made
    client.dns.records.edit(made.id, zone_id=zone_id, type="A", name="app", ttl=300, content="203.0.113.6")
    replaced = client.dns.records.update(
        made.id, zone_id=zone_id, type="A", name="app.example.org", content="203.0.113.7", ttl=1, proxied=True
    )
    assert replaced is not None
    assert (replaced.id, replaced.content, replaced.proxied) == (made.id, "203.0.113.7", True)
    deleted = client.dns.records.delete(made.id, zone_id=zone_id)
    assert deleted is not None
    assert deleted.id == made.id
    with pytest.raises(cloudflare.NotFoundError) as error:
        client.dns.records.get(made.id, zone_id=zone_id)
    assert error.value.errors[0].code == 81044


def test_answers_have_the_shape_of_the_official_types(send: Send, zone_id: str) -> None:
    """What the API answers validates against the official response models."""
    for body, model in ((A, ARecord), (CAA, CAARecord)):
        status, envelope = send("POST", f"/zones/{zone_id}/dns_records", body)
        assert status == 200
        TypeAdapter(model).validate_python(envelope["result"])
        assert len(envelope["result"]["id"]) == 32


def test_caa_content_follows_from_its_data(send: Send, zone_id: str) -> None:
    """A CAA record given as data shows the text form, at the apex."""
    _, envelope = send("POST", f"/zones/{zone_id}/dns_records", CAA)
    record = envelope["result"]
    assert (record["name"], record["content"]) == ("example.org", '0 issue "letsencrypt.org"')
    status, envelope = send("PATCH", f"/zones/{zone_id}/dns_records/{record['id']}", {"ttl": 300})
    assert (status, envelope["result"]["content"]) == (200, '0 issue "letsencrypt.org"')


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"content": "not-an-address"}, 9005),
        ({"content": "2001:db8::1"}, 9005),
        ({"content": ""}, 9005),
        ({"type": "AAAA"}, 9006),
        ({"type": "CNAME", "content": "not a name"}, 9007),
        ({"type": "CNAME", "content": "203.0.113.5"}, 9007),
        ({"type": "MX", "content": "mail.example.org"}, 9100),
        ({"ttl": 5}, 9021),
        ({"ttl": 86401}, 9021),
        ({"proxied": True}, 9021),
        ({"type": "TXT", "content": "x", "proxied": True, "ttl": 1}, 9004),
        ({"type": "TXT", "content": '"open'}, 9210),
        ({"type": "TXT", "content": '"' + "x" * 256 + '"'}, 9210),
        ({"name": "app.other.org"}, 9000),
        ({"name": "app.dev.lab.example"}, 9000),
        ({"name": "app.example."}, 9000),
        ({"name": "a..b"}, 9000),
        ({"type": "CAA", "content": None}, 9101),
        ({"type": "CAA", "content": None, "data": {"flags": 0, "tag": "isue", "value": "x"}}, 9102),
        ({"ttl": "300"}, 9207),
        ({"type": "NOPE"}, 9207),
        ({"colour": "red"}, 9207),
        ({"proxied": "yes"}, 9207),
        ({"tags": "a:b"}, 9207),
    ],
)
def test_wrong_records_are_refused(send: Send, zone_id: str, change: dict[str, Any], code: int) -> None:
    """Each wrong field is refused with its code, and nothing is written."""
    body = {key: value for key, value in (A | change).items() if value is not None}
    status, envelope = send("POST", f"/zones/{zone_id}/dns_records", body)
    assert (status, codes(envelope)[0], envelope["success"]) == (400, code, False)
    assert send("GET", f"/zones/{zone_id}/dns_records")[1]["result"] == []


def test_all_problems_of_a_record_come_at_once(send: Send, zone_id: str) -> None:
    """A wrong address and a wrong ttl are both named."""
    _, envelope = send("POST", f"/zones/{zone_id}/dns_records", A | {"content": "x", "ttl": 7})
    assert codes(envelope) == [9005, 9021]


@pytest.mark.parametrize(
    ("first", "second", "code"),
    [
        (A, A, 81058),
        (A | {"type": "CNAME", "content": "x.org"}, A, 81053),
        (A, A | {"type": "CNAME", "content": "x.org"}, 81053),
        (A | {"type": "NS", "content": "ns.x.org"}, A | {"type": "CNAME", "content": "x.org"}, 81056),
        (A | {"type": "TXT", "content": "one"}, A | {"type": "TXT", "content": '"one"'}, 81058),
    ],
)
def test_conflicts(
    send: Send, zone_id: str, first: dict[str, Any], second: dict[str, Any], code: int
) -> None:
    """An identical record, and a CNAME with A, CNAME or NS of its name, are refused."""
    assert send("POST", f"/zones/{zone_id}/dns_records", first)[0] == 200
    status, envelope = send("POST", f"/zones/{zone_id}/dns_records", second)
    assert (status, codes(envelope)) == (400, [code])


def test_what_may_stand_together(send: Send, zone_id: str) -> None:
    """Two A records of one name, two TXT values (DNS-01 of a wildcard), and TXT beside CNAME are fine."""
    path = f"/zones/{zone_id}/dns_records"
    bodies = [
        A,
        A | {"content": "203.0.113.6"},
        A | {"type": "TXT", "name": "_acme-challenge", "content": '"one"'},
        A | {"type": "TXT", "name": "_acme-challenge", "content": '"two"'},
        A | {"type": "CNAME", "name": "www", "content": "app.example.org"},
        A | {"type": "TXT", "name": "www", "content": "x"},
        A | {"name": "*"},
    ]
    assert [send("POST", path, body)[0] for body in bodies] == [200] * len(bodies)


def test_update_into_a_conflict_is_refused(send: Send, zone_id: str) -> None:
    """Renaming a CNAME onto an address record is refused and changes nothing."""
    path = f"/zones/{zone_id}/dns_records"
    send("POST", path, A)
    alias = send("POST", path, A | {"type": "CNAME", "name": "www", "content": "x.org"})[1]["result"]
    assert send("PATCH", f"{path}/{alias['id']}", {"name": "app"})[0] == 400
    assert send("GET", f"{path}/{alias['id']}")[1]["result"] == alias


def test_listing_filters_and_pages(client: Cloudflare, send: Send, zone_id: str) -> None:
    """Filters of the official client select, and pages cover everything exactly once."""
    for number in range(7):
        send("POST", f"/zones/{zone_id}/dns_records", A | {"name": f"h{number}"})
    send("POST", f"/zones/{zone_id}/dns_records", A | {"type": "TXT", "content": "x"})
    records = client.dns.records
    assert [r.type for r in records.list(zone_id=zone_id, type="TXT").result] == ["TXT"]
    assert [r.name for r in records.list(zone_id=zone_id, name={"exact": "h3.example.org"}).result] == [
        "h3.example.org"
    ]
    names = [r.name for r in records.list(zone_id=zone_id, per_page=3)]
    assert names == sorted(set(names))
    assert len(names) == 8
    info = send("GET", f"/zones/{zone_id}/dns_records?per_page=3&page=3")[1]["result_info"]
    assert info == {"page": 3, "per_page": 3, "count": 2, "total_count": 8, "total_pages": 3}
    assert send("GET", f"/zones/{zone_id}/dns_records?colour=red")[0] == 400


@pytest.mark.parametrize(("content", "compared"), [("WWW.example.org.", "www.example.org"), (".", ".")])
def test_contents_are_compared_without_their_last_dot(content: str, compared: str) -> None:
    """But for the root, which has nothing else."""
    assert comparable({"type": "HTTPS", "content": content}) == compared


def test_requests_are_fast(send: Send, zone_id: str) -> None:
    """With 60 records the median write takes under 5 ms of processor time, client included."""
    path, times = f"/zones/{zone_id}/dns_records", []
    for number in range(60):
        start = time.process_time()
        send("POST", path, A | {"name": f"h{number}"})
        times.append(time.process_time() - start)
    assert statistics.median(times) < 0.005
