"""Generated requests to the sandbox's Cloudflare."""

from typing import Any

from cloudflare.types.dns import RecordResponse
from cloudflare.types.user import TokenCreateResponse
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from sandbox.cloudflare import zones as zone_store
from sandbox.cloudflare.records import comparable, refuse_conflict
from sandbox.cloudflare.server import application
from sandbox.cloudflare.tokens import COLLECTION as TOKENS
from sandbox.conformance.serving import served_on_loopback
from sandbox.store import Store
from tests.evidence.requests import cloudflare
from tests.evidence.requests.budget import PER_RUN, TEN_THOUSAND
from tests.evidence.requests.junk import odd_credentials
from tests.evidence.requests.sending import Answer, Request, Sender, sender

TOKEN = "token-of-the-test"
STATUSES = {200, 400, 403, 404, 405, 413, 415}
TOKEN_SHOWN: TypeAdapter[Any] = TypeAdapter(TokenCreateResponse)
RECORD: TypeAdapter[Any] = TypeAdapter(RecordResponse)


def check_envelope(answer: Answer) -> Any:
    """Every answer has Cloudflare's envelope; gives the result."""
    assert answer.status in STATUSES, answer
    assert answer.kind == "application/json", answer
    document = answer.document()
    assert set(document) - {"result_info"} == {"result", "success", "errors", "messages"}, document
    assert document["success"] is (answer.status == 200) is (not document["errors"]), document
    for error in document["errors"]:
        assert isinstance(error["code"], int), document
        assert error["message"], document
    return document["result"]


def check_state(store: Store, client: Sender, zones: list[str]) -> None:
    """Records and tokens are where their ids say and of the official types; records may stand beside each other."""
    with store.transaction() as transaction:
        for zone in zone_store.all_zones(transaction):
            found = dict(transaction.list(zone_store.records_collection(zone["id"])))
            for key, record in found.items():
                assert key == record["id"]
                assert record["name"] == zone["name"] or record["name"].endswith(f".{zone['name']}")
                RECORD.validate_python(record)
                refuse_conflict(record, list(found.values()))
                assert comparable(record)
        for key, kept in transaction.list(TOKENS):
            assert key == kept["token"]["id"]
            assert TOKEN_SHOWN.validate_python(kept["token"]).value is None
    for zone_id in zones:
        path = f"/client/v4/zones/{zone_id}/dns_records?per_page=5000"
        shown = check_envelope(client.send(Request(method="GET", path=path)))
        with store.transaction() as transaction:
            kept = dict(transaction.list(zone_store.records_collection(zone_id)))
        assert {record["id"]: record for record in shown} == kept


def test_odd_credentials() -> None:
    """Whatever stands in the header, it opens nothing and crashes nothing."""
    with served_on_loopback(application(Store(":memory:"), token=TOKEN, zones=cloudflare.ZONES)) as base:
        for text in odd_credentials("Bearer"):
            with sender(base, text) as client:
                answer = client.send(Request(method="GET", path="/client/v4/zones"))
                check_envelope(answer)
                assert answer.status in (400, 403)


@TEN_THOUSAND
@given(st.lists(st.tuples(cloudflare.requests(), st.integers(0, 99)), min_size=PER_RUN, max_size=PER_RUN))
def test_ten_thousand_requests(run: list[tuple[Request, int]]) -> None:
    """Whatever is asked, the answer has the envelope, and the state is sound afterwards."""
    store = Store(":memory:")
    zones = [zone_store.zone_document(name)["id"] for name in cloudflare.ZONES]
    records, values = ["f" * 32], []
    app = application(store, token=TOKEN, maker=TOKEN, zones=cloudflare.ZONES)
    with served_on_loopback(app) as base, sender(base, f"Bearer {TOKEN}") as client:
        for request, number in run:
            zone, record = zones[number % len(zones)], records[number % len(records)]
            result = check_envelope(client.send(request.filled(zone=zone, record=record)))
            if request.method == "POST" and result:
                records.append(result["id"])
                values += [result["value"]] if "value" in result else []
        check_state(store, client, zones)
        for value in values:
            with sender(base, f"Bearer {value}") as bearer:
                check_envelope(bearer.send(Request(method="GET", path="/client/v4/zones")))
    store.close()
