"""Cloudflare's own Python client drives the API: every record type that the program or Traefik makes, and refusals."""

from typing import Any

import cloudflare
import pytest
from cloudflare import Cloudflare
from cloudflare.types.dns import AAAARecord, ARecord, CAARecord, CNAMERecord, TXTRecord

CAA = {"flags": 0, "tag": "issue", "value": "letsencrypt.org"}
TYPES: list[tuple[type[Any], dict[str, Any], dict[str, Any]]] = [
    (ARecord, {"type": "A", "name": "app", "content": "192.0.2.5"}, {"content": "192.0.2.6"}),
    (
        ARecord,
        {"type": "A", "name": "*.dev", "content": "192.0.2.5", "comment": "every route"},
        {"comment": "none"},
    ),
    (AAAARecord, {"type": "AAAA", "name": "app", "content": "2001:db8::5"}, {"content": "2001:db8::6"}),
    (
        CNAMERecord,
        {"type": "CNAME", "name": "www", "content": "app.example.org"},
        {"content": "web.example.org"},
    ),
    (TXTRecord, {"type": "TXT", "name": "_acme-challenge", "content": '"token"'}, {"content": '"other"'}),
    (CAARecord, {"type": "CAA", "name": "@", "data": CAA}, {"data": CAA | {"value": "pki.goog"}}),
]


@pytest.mark.parametrize(("kind", "body", "change"), TYPES, ids=lambda value: getattr(value, "__name__", ""))
def test_life_of_each_type(
    client: Cloudflare, zone_id: str, kind: type[Any], body: dict[str, Any], change: dict[str, Any]
) -> None:
    """Created, read, found, replaced, edited and deleted, as the client's own model of the type each time."""
    records = client.dns.records
    made = records.create(zone_id=zone_id, ttl=300, **body)
    assert isinstance(made, kind)
    assert records.get(made.id, zone_id=zone_id) == made
    assert [found.id for found in records.list(zone_id=zone_id, type=body["type"])] == [made.id]
    replaced = records.update(made.id, zone_id=zone_id, **(body | change | {"ttl": 1}))
    edited = records.edit(made.id, zone_id=zone_id, **(body | change | {"ttl": 600}))
    assert isinstance(replaced, kind)
    assert isinstance(edited, kind)
    assert (replaced.ttl, edited.ttl) == (1, 600)
    for field, value in change.items():
        shown = getattr(edited, field)
        assert (shown.to_dict() if field == "data" else shown) == value
    deleted = records.delete(made.id, zone_id=zone_id)
    assert deleted is not None
    assert deleted.id == made.id
    assert list(records.list(zone_id=zone_id)) == []


def _codes(error: cloudflare.APIStatusError) -> list[int | None]:
    return [one.code for one in error.errors]


@pytest.mark.parametrize(
    ("body", "codes"),
    [
        ({"type": "A", "name": "app", "content": "192.0.2.1"}, [81058]),
        ({"type": "CNAME", "name": "app", "content": "x.example.org"}, [81053]),
        ({"type": "A", "name": "b", "content": "192.0.2.300"}, [9005]),
        ({"type": "AAAA", "name": "b", "content": "192.0.2.1"}, [9006]),
        ({"type": "CNAME", "name": "b", "content": "not a name"}, [9007]),
        ({"type": "A", "name": "b", "content": "192.0.2.1", "ttl": 5}, [9021]),
        ({"type": "TXT", "name": "b", "content": "x", "proxied": True}, [9004]),
        ({"type": "CAA", "name": "b", "data": {}}, [9101]),
        ({"type": "A", "name": "b.example.net.", "content": "192.0.2.1"}, [9000]),
    ],
)
def test_wrong_records(client: Cloudflare, zone_id: str, body: dict[str, Any], codes: list[int]) -> None:
    """The client raises BadRequestError with the code, and the zone stays as it was."""
    client.dns.records.create(zone_id=zone_id, type="A", name="app", content="192.0.2.1", ttl=1)
    with pytest.raises(cloudflare.BadRequestError) as error:
        client.dns.records.create(zone_id=zone_id, **({"ttl": 1} | body))
    assert _codes(error.value) == codes
    assert len(list(client.dns.records.list(zone_id=zone_id))) == 1


def test_records_and_zones_that_are_not_there(client: Cloudflare, zone_id: str) -> None:
    """A record that is gone, a zone of somebody else and an id that is none are three refusals."""
    for act in (client.dns.records.get, client.dns.records.delete):
        with pytest.raises(cloudflare.NotFoundError) as gone:
            act("a" * 32, zone_id=zone_id)
        assert _codes(gone.value) == [81044]
    with pytest.raises(cloudflare.PermissionDeniedError) as foreign:
        client.dns.records.list(zone_id="a" * 32)
    assert _codes(foreign.value) == [9109]
    with pytest.raises(cloudflare.NotFoundError) as malformed:
        client.zones.get(zone_id="example.org")
    assert _codes(malformed.value) == [7003, 7000]


def test_a_wrong_token(base: str, zone_id: str) -> None:
    """It is refused at the token check with 1000, and everywhere else as an authentication error."""
    with Cloudflare(api_token="wrong", base_url=base, max_retries=0) as client:
        with pytest.raises(cloudflare.AuthenticationError) as check:
            client.user.tokens.verify()
        assert _codes(check.value) == [1000]
        with pytest.raises(cloudflare.PermissionDeniedError) as write:
            client.dns.records.create(zone_id=zone_id, type="A", name="app", content="192.0.2.1", ttl=1)
        assert _codes(write.value) == [9109, 10000]
