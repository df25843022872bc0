"""The cloudflare package against the sandbox's API, over real gRPC."""

import json
from collections.abc import Iterator

import grpc
import pytest

from sandbox.cloudflare.server import application
from sandbox.cloudflare.zones import zone_document
from sandbox.conformance.serving import served_on_loopback
from sandbox.plugins.cloudflare.provider import package
from sandbox.plugins.values import UNKNOWN, Secret, Value, Values, text
from sandbox.store import Store
from tests.sandbox.plugins.conversation import Conversation, conversation

RECORD = "cloudflare:index/dnsRecord:DnsRecord"
ZONE = "cloudflare:index/getZone:getZone"
API_TOKEN = "cloudflare:index/apiToken:ApiToken"
RECORDS = "cloudflare:index/getDnsRecords:getDnsRecords"
GROUPS = "cloudflare:index/getApiTokenPermissionGroupsList:getApiTokenPermissionGroupsList"
TOKEN = "x" * 40
DNS_WRITE, ZONE_READ = "4755a26eedb94da69e1066d98aa820be", "c8fed203ed3043cba015a93ad1616f1f"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The base URL of an API with one zone."""
    app = application(Store(":memory:"), token=TOKEN, maker=TOKEN, zones=("lab.example", "other.example"))
    with served_on_loopback(app) as url:
        yield f"{url}/client/v4"


@pytest.fixture(scope="module")
def plugin(address: str) -> Iterator[Conversation]:
    """The cloudflare plugin, configured for the API."""
    with conversation(package(), {"cloudflare": address}) as talk:
        talk.configure({"apiToken": TOKEN, "baseUrl": address}, secret=("apiToken",))
        yield talk


def _record(plugin: Conversation, name: str) -> Values:
    zone = plugin.invoke(ZONE, {"filter": {"match": "all", "name": "lab.example"}})
    zone_id = getattr(zone, "return")["id"]
    return {
        "zoneId": zone_id,
        "name": name,
        "type": "A",
        "content": "203.0.113.5",
        "ttl": 300,
        "comment": "lab",
    }


def _token(
    zone: str = "lab.example", groups: tuple[str, ...] = (DNS_WRITE, ZONE_READ), resources: str = ""
) -> Values:
    named = f"com.cloudflare.api.account.zone.{zone_document(zone)['id']}"
    given: list[Value] = [{"id": group} for group in groups]
    policy: Values = {
        "effect": "allow",
        "permissionGroups": given,
        "resources": resources or json.dumps({named: "*"}, separators=(",", ":")),
    }
    return {"name": "dns01", "policies": [policy]}


def test_the_real_service_is_refused(plugin: Conversation) -> None:
    """Neither another address nor a missing one is accepted, nor a configuration without a token."""
    for url in ("https://api.cloudflare.com/client/v4", ""):
        reasons = [
            failure.reason for failure in plugin.check_config({"apiToken": "t", "baseUrl": url}).failures
        ]
        assert any(".sandbox/endpoints.json" in reason for reason in reasons)
    assert any("apiToken" in failure.reason for failure in plugin.check_config({}).failures)


def test_a_zone_is_found_by_its_name(plugin: Conversation) -> None:
    """The answer has camelCase names, the zone's id twice, and the filter."""
    answer = plugin.invoke(ZONE, {"filter": {"match": "all", "name": "lab.example"}})
    found = getattr(answer, "return")
    assert found["name"] == "lab.example"
    assert found["zoneId"] == found["id"]
    assert found["filter"]["match"] == "all"
    assert "nameServers" in found


def test_a_missing_zone_says_what_was_looked_for(plugin: Conversation) -> None:
    """The error names the filter and what to check."""
    with pytest.raises(grpc.RpcError) as error:
        plugin.invoke(ZONE, {"filter": {"match": "all", "name": "nowhere.example"}})
    assert "nowhere.example" in error.value.details()


def test_the_filter_needs_a_match(plugin: Conversation) -> None:
    """`match` is required in this version of the SDK."""
    answer = plugin.invoke(ZONE, {"filter": {"name": "lab.example"}})
    assert [failure.reason for failure in answer.failures] == [
        "Missing required property 'filter.match': match"
    ]


def test_a_record_lives_and_dies(plugin: Conversation) -> None:
    """Create, no difference, update in place, refresh, delete, gone; a second delete is an error, officially
    too.
    """
    inputs = _record(plugin, "app.lab.example")
    id, state = plugin.create(RECORD, inputs)
    assert list(plugin.diff(RECORD, id, state, inputs).diffs) == []
    changed = {**inputs, "content": "203.0.113.6"}
    answer = plugin.diff(RECORD, id, state, changed)
    assert (list(answer.diffs), list(answer.replaces)) == (["content", "modifiedOn"], [])
    updated = plugin.update(RECORD, id, state, changed)
    _, read, _ = plugin.read(RECORD, id, updated, plugin.inputs(RECORD, changed))
    assert read["content"] == "203.0.113.6"
    assert list(plugin.diff(RECORD, id, read, changed).diffs) == []
    plugin.delete(RECORD, id, read)
    assert plugin.read(RECORD, id, read, changed)[0] == ""
    with pytest.raises(grpc.RpcError, match="failed to make http request: DELETE"):
        plugin.delete(RECORD, id, read)


def test_a_caa_record_has_data_and_no_content(plugin: Conversation) -> None:
    """The structured data is kept and shows no difference after a refresh."""
    inputs = {**_record(plugin, "lab.example"), "type": "CAA"}
    del inputs["content"]
    inputs["data"] = {"flags": 0, "tag": "issue", "value": "letsencrypt.org"}
    id, state = plugin.create(RECORD, inputs)
    _, read, _ = plugin.read(RECORD, id, state, plugin.inputs(RECORD, inputs))
    assert list(plugin.diff(RECORD, id, read, inputs).diffs) == []


def test_content_and_data_exclude_each_other(plugin: Conversation) -> None:
    """Both sentences of the official plugin."""
    reasons = plugin.reasons(RECORD, {**_record(plugin, "x.lab.example"), "data": {"tag": "issue"}})
    assert len(reasons) == 2


@pytest.mark.parametrize("change", [{"type": "AAAA", "content": "2001:db8::5"}, {"zoneId": UNKNOWN}])
def test_type_and_zone_replace_without_deleting_first(plugin: Conversation, change: Values) -> None:
    """The new record comes first, officially too; a program must ask for the other order."""
    inputs = _record(plugin, "kind.lab.example")
    answer = plugin.diff(RECORD, "x", inputs, {**inputs, **change})
    assert list(answer.replaces) == [next(iter(change))]
    assert not answer.deleteBeforeReplace


def test_a_proxied_record_needs_the_automatic_ttl(plugin: Conversation) -> None:
    """Refused before any request, in the official words."""
    with pytest.raises(grpc.RpcError, match="ttl must be set to 1 when `proxied` is true"):
        plugin.create(RECORD, {**_record(plugin, "p.lab.example"), "proxied": True})


def test_an_existing_name_is_the_apis_error(plugin: Conversation) -> None:
    """A CNAME beside an A record is refused with the request and the API's text, and without the token."""
    inputs = _record(plugin, "taken.lab.example")
    plugin.create(RECORD, inputs)
    with pytest.raises(grpc.RpcError) as error:
        plugin.create(RECORD, {**inputs, "type": "CNAME", "content": "x.lab.example"})
    assert 'failed to make http request: POST "http://127.0.0.1:' in error.value.details()
    assert TOKEN not in error.value.details()


def test_import_wants_the_zone_and_the_record(plugin: Conversation) -> None:
    """`<zone>/<record>` finds it; a bare id is an error that says the form."""
    inputs = _record(plugin, "import.lab.example")
    id, _ = plugin.create(RECORD, inputs)
    found, _, written = plugin.read(RECORD, f"{inputs['zoneId']}/{id}")
    assert (found, written["content"]) == (id, "203.0.113.5")
    with pytest.raises(grpc.RpcError, match="<zone_id>/<dns_record_id>"):
        plugin.read(RECORD, id)


def test_every_record_of_a_zone_is_listed(plugin: Conversation) -> None:
    """Past the first page too, in the form that the SDK reads; and no more than was asked for."""
    made = [plugin.create(RECORD, _record(plugin, f"n{number}.lab.example")) for number in range(101)]
    zone_id = made[0][1]["zoneId"]

    def listed(**more: int) -> list[Values]:
        return list(getattr(plugin.invoke(RECORDS, {"zoneId": zone_id, **more}), "return")["results"])

    try:
        names = {f"n{number}.lab.example" for number in range(101)}
        found = [record for record in listed() if record["name"] in names]
        assert {record["name"] for record in found} == names
        assert {record["comment"] for record in found} == {"lab"}
        assert {record["meta"] for record in found} == {"{}"}
        assert len(listed(maxItems=7)) == 7
    finally:
        for id, state in made:
            plugin.delete(RECORD, id, state)


def test_groups_are_listed_for_who_may_make_tokens(plugin: Conversation, address: str) -> None:
    """By id, name and scopes; who may not make tokens is told so in the API's words."""
    (found,) = getattr(plugin.invoke(GROUPS, {"name": "DNS Write"}), "return")["results"]
    assert dict(found) == {
        "id": DNS_WRITE,
        "name": "DNS Write",
        "scopes": ["com.cloudflare.api.account.zone"],
    }
    with conversation(package(), {"cloudflare": address}) as nobody:
        nobody.configure({"apiToken": "y" * 40, "baseUrl": address}, secret=("apiToken",))
        with pytest.raises(grpc.RpcError, match="403"):
            nobody.invoke(GROUPS, {})


def test_a_token_lives_and_dies(plugin: Conversation) -> None:
    """Create with a secret value, no difference, a refresh that keeps it (and the mark), delete, gone."""
    inputs = _token()
    id, state = plugin.create(API_TOKEN, inputs)
    assert isinstance(state["value"], Secret)
    assert len(text(state, "value")) == 40
    assert list(plugin.diff(API_TOKEN, id, state, inputs).diffs) == []
    _, read, _ = plugin.read(API_TOKEN, id, state, plugin.inputs(API_TOKEN, inputs))
    assert (read["value"], type(read["value"])) == (state["value"], Secret)
    assert list(plugin.diff(API_TOKEN, id, read, inputs).diffs) == []
    plugin.delete(API_TOKEN, id, read)
    assert plugin.read(API_TOKEN, id, read, inputs)[0] == ""
    with pytest.raises(grpc.RpcError, match="Token not found"):
        plugin.delete(API_TOKEN, id, read)


def test_other_zones_change_a_token_in_place(plugin: Conversation) -> None:
    """One PUT; the official plugin calls the value changed, and it is the same afterwards."""
    id, state = plugin.create(API_TOKEN, _token())
    answer = plugin.diff(API_TOKEN, id, state, _token("other.example"))
    assert list(answer.diffs) == ["issuedOn", "lastUsedOn", "modifiedOn", "policies", "value"]
    assert list(answer.replaces) == []
    assert plugin.update(API_TOKEN, id, state, _token("other.example"))["value"] == state["value"]


def _refreshed(plugin: Conversation, inputs: Values) -> list[str]:
    """What a refresh makes of a token that nobody changed: the names that then differ."""
    id, state = plugin.create(API_TOKEN, inputs)
    assert list(plugin.diff(API_TOKEN, id, state, inputs).diffs) == []
    _, read, _ = plugin.read(API_TOKEN, id, state, plugin.inputs(API_TOKEN, inputs))
    return list(plugin.diff(API_TOKEN, id, read, inputs).diffs)


def test_groups_in_another_order_are_no_difference(plugin: Conversation) -> None:
    """The API sorts them; the official plugin keeps the program's order."""
    assert _refreshed(plugin, _token(groups=(ZONE_READ, DNS_WRITE))) == []


def test_blanks_in_resources_are_a_difference_for_ever(plugin: Conversation) -> None:
    """The official plugin compares the text with the API's, which has none: a program must not write any."""
    resource = f"com.cloudflare.api.account.zone.{zone_document('lab.example')['id']}"
    assert "policies" in _refreshed(plugin, _token(resources=f'{{"{resource}": "*"}}'))


def test_resources_that_are_no_json(plugin: Conversation) -> None:
    """Refused before any request, in the official words."""
    with pytest.raises(grpc.RpcError, match="invalid character 'x' looking for beginning of value"):
        plugin.create(API_TOKEN, _token(resources="x"))


def test_a_missing_token_cannot_be_imported(plugin: Conversation) -> None:
    """An error, where a refresh drops it from the state."""
    with pytest.raises(grpc.RpcError, match="Token not found"):
        plugin.read(API_TOKEN, "0" * 32)
