"""The framework on its own, with a tiny made-up package, over real gRPC."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import grpc
import pytest
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto import provider_pb2

from sandbox.plugins.properties import block_set, boolean, integer, names, string, string_list
from sandbox.plugins.resource import (
    CallError,
    DeleteFirst,
    Dialect,
    Endpoints,
    Existing,
    Package,
    PartialFailure,
    ResourceType,
)
from sandbox.plugins.values import UNKNOWN, Secret, Value, Values, text
from tests.sandbox.plugins.conversation import Conversation, conversation, kept_state

WIDGET = "toy:index/widget:Widget"
ADDRESS = "http://127.0.0.1:1"


@dataclass
class Shelf:
    """The service behind the package: widgets by id."""

    widgets: dict[str, Values] = field(default_factory=dict)
    meeting: threading.Barrier = field(default_factory=lambda: threading.Barrier(8))


class WidgetCalls:
    """What a widget asks of the shelf."""

    def create(self, client: Shelf, inputs: Values) -> Existing:
        """Put it on the shelf; some names misbehave."""
        name = text(inputs, "name")
        if name == "refused":
            raise CallError("the shelf is full")
        if name == "together":
            client.meeting.wait(5)
        id = f"id-{name}"
        client.widgets[id] = {**inputs, "key": "the-key", "created": True}
        if name == "half":
            raise PartialFailure(id=id, state=client.widgets[id], reasons=("it is only half there",))
        return Existing(id=id, state=client.widgets[id])

    def read(self, client: Shelf, id: str, state: Values) -> Existing | None:
        """Look at it."""
        return Existing(id=id, state=client.widgets[id]) if id in client.widgets else None

    def update(self, client: Shelf, id: str, state: Values, inputs: Values) -> Values:
        """Change it."""
        client.widgets[id] = {**state, **inputs}
        return client.widgets[id]

    def delete(self, client: Shelf, id: str, state: Values) -> None:
        """Take it away."""
        del client.widgets[id]


def _package(shelf: Shelf) -> Package[Shelf]:
    def refuse(configuration: Values, endpoints: Endpoints) -> Iterator[str]:
        if text(configuration, "url") != endpoints.addresses.get("toy"):
            yield endpoints.refusal("toy", "the property url of the toy provider", text(configuration, "url"))

    widget: ResourceType[Shelf] = ResourceType(
        token=WIDGET,
        dialect=Dialect.SDK2,
        properties=(
            string("name", replace=True, named=True),
            string("password", secret=True),
            integer("size", default=3),
            boolean("shiny"),
            string_list("words", replace=True),
            block_set("parts", [string("label", required=True)], unsupported="weight"),
            string("key", output=True, secret=True),
            boolean("created", output=True),
        ),
        unsupported=names("colour"),
        calls=WidgetCalls(),
        delete_first=DeleteFirst.NAMED,
    )
    return Package(
        name="toy",
        version="1.2.3",
        configuration=(string("url"), string("token", secret=True)),
        types=(widget,),
        connect=lambda _configuration, _endpoints: shelf,
        refuse=refuse,
    )


@pytest.fixture
def shelf() -> Shelf:
    """An empty shelf."""
    return Shelf()


@pytest.fixture
def plugin(shelf: Shelf) -> Iterator[Conversation]:
    """The toy plugin, configured for the shelf."""
    with conversation(_package(shelf), {"toy": ADDRESS}) as talk:
        talk.configure({"url": ADDRESS, "token": "t0p"}, secret=("token",))
        yield talk


def test_it_says_its_version(plugin: Conversation) -> None:
    """GetPluginInfo gives the SDK's version, so that the engine finds the plugin that it asked for."""
    assert plugin.stub.GetPluginInfo(Empty()).version == "1.2.3"


def test_handshake_is_not_implemented(plugin: Conversation) -> None:
    """The engine falls back to Configure, as with the official plugins."""
    with pytest.raises(grpc.RpcError) as error:
        plugin.stub.Handshake(provider_pb2.ProviderHandshakeRequest())
    assert error.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_configure_takes_no_secrets(plugin: Conversation) -> None:
    """The engine is told to send plain values and that previews work, in the recorded answer's terms."""
    answer = plugin.configure({"url": ADDRESS})
    assert (answer.acceptSecrets, answer.supportsPreview) == (False, True)
    assert answer.supports_autonaming_configuration


def test_an_endpoint_outside_the_sandbox_is_refused(plugin: Conversation) -> None:
    """Both CheckConfig and Configure name the address, the only one allowed, and where it is written."""
    elsewhere = "https://api.example.com"
    reasons = [failure.reason for failure in plugin.check_config({"url": elsewhere}).failures]
    with pytest.raises(grpc.RpcError) as error:
        plugin.configure({"url": elsewhere})
    for sentence in (*reasons, error.value.details()):
        assert elsewhere in sentence
        assert ADDRESS in sentence
        assert ".sandbox/endpoints.json" in sentence
    assert len(reasons) == 1


def test_an_unknown_configuration_key_is_refused(plugin: Conversation) -> None:
    """The official words, with the provider's name."""
    reasons = [failure.reason for failure in plugin.check_config({"url": ADDRESS, "nope": "1"}).failures]
    assert reasons == [
        "could not validate provider configuration: Invalid or unknown key. Examine values at 'here.nope'."
    ]


def test_a_secret_of_the_configuration_stays_secret(plugin: Conversation) -> None:
    """CheckConfig gives the token back with the secret marker."""
    answer = plugin.check_config({"url": ADDRESS, "token": "t0p"}, secret=("token",))
    assert answer.inputs["token"]["value"] == "t0p"
    assert len(answer.inputs["token"]) == 2


def test_an_unknown_property_is_refused_with_the_resources_name(plugin: Conversation) -> None:
    """A property that the official type does not have either gets the official sentence."""
    assert plugin.reasons(WIDGET, {"nope": 1}) == ["Invalid or unknown key. Examine values at 'one.nope'."]


def test_an_unsupported_property_is_refused_by_name(plugin: Conversation) -> None:
    """A property that only the official type has is an error that names type and property, never ignored."""
    top, nested = plugin.reasons(WIDGET, {"colour": "red", "parts": [{"label": "a", "weight": 2}]})
    assert "colour" in top
    assert "weight" in nested
    for sentence in (top, nested):
        assert WIDGET in sentence
        assert "is not supported by the sandbox's stand-in for the toy plugin" in sentence


def test_all_problems_are_named_at_once(plugin: Conversation) -> None:
    """Every wrong property has its own reason in one answer."""
    assert len(plugin.reasons(WIDGET, {"nope": 1, "shiny": "perhaps", "parts": [{}], "colour": "red"})) == 4


def test_a_wrong_number_is_an_error_without_a_crash(plugin: Conversation) -> None:
    """A text where a number belongs fails with the official text."""
    with pytest.raises(grpc.RpcError) as error:
        plugin.check(WIDGET, {"size": "big"})
    assert error.value.details() == 'size: strconv.ParseInt: parsing "big": invalid syntax'


def test_an_output_cannot_be_set(plugin: Conversation) -> None:
    """What the service decides is refused as an input."""
    (reason,) = plugin.reasons(WIDGET, {"created": True})
    assert "read-only" in reason


def test_values_are_coerced_and_defaults_filled(plugin: Conversation) -> None:
    """Numbers and booleans written as text become what they are; an unset name comes from the resource's."""
    inputs = plugin.inputs(WIDGET, {"size": "5", "shiny": "true"})
    assert (inputs["size"], inputs["shiny"]) == (5, True)
    assert str(inputs["name"]).startswith("one-")
    assert plugin.inputs(WIDGET, {"name": "n"})["size"] == 3


def test_a_made_name_is_kept(plugin: Conversation) -> None:
    """The next check keeps the name that was made for the first."""
    first = plugin.inputs(WIDGET, {})
    first["name"] = "one-1234567"
    assert plugin.inputs(WIDGET, {}, olds=first)["name"] == "one-1234567"


def test_unknowns_survive_check_and_preview(plugin: Conversation) -> None:
    """Unknown inputs stay unknown at any depth, computed outputs are unknown, and nothing is created."""
    id, planned = plugin.create(
        WIDGET, {"name": UNKNOWN, "words": ["a", UNKNOWN], "parts": [{"label": UNKNOWN}]}, preview=True
    )
    assert id == ""
    assert planned["name"] is UNKNOWN
    assert planned["words"] == ["a", UNKNOWN]
    assert planned["parts"] == [{"label": UNKNOWN}]
    assert planned["created"] is UNKNOWN


def test_a_preview_makes_nothing(plugin: Conversation, shelf: Shelf) -> None:
    """Neither create nor update touches the service in a preview."""
    plugin.create(WIDGET, {"name": "a"}, preview=True)
    plugin.update(WIDGET, "id-a", {"name": "a", "size": 3}, {"name": "a", "size": 9}, preview=True)
    assert shelf.widgets == {}


def test_unknown_values_never_reach_a_call(plugin: Conversation, shelf: Shelf) -> None:
    """A real create with an unknown is refused and names the property."""
    with pytest.raises(grpc.RpcError) as error:
        plugin.create(WIDGET, {"name": "a", "words": [UNKNOWN]})
    assert "words" in error.value.details()
    assert shelf.widgets == {}


def test_secret_outputs_are_marked(plugin: Conversation) -> None:
    """Properties declared secret come back as secrets from create, read and update."""
    id, state = plugin.create(WIDGET, {"name": "a", "password": "p"})
    assert (state["key"], state["password"]) == (Secret("the-key"), Secret("p"))
    assert plugin.read(WIDGET, id, state, {"name": "a"})[1]["key"] == Secret("the-key")
    assert plugin.update(WIDGET, id, state, {"name": "a", "size": 4})["key"] == Secret("the-key")


def test_a_secret_input_comes_back_secret(plugin: Conversation) -> None:
    """A property whose value arrives with a secret inside is marked as a whole in the answer."""
    inputs = plugin.inputs(WIDGET, {"name": "a", "words": ["x", Secret("hidden")]})
    assert inputs["words"] == Secret(["x", "hidden"])


def test_create_read_update_delete(plugin: Conversation, shelf: Shelf) -> None:
    """The whole life of a resource reaches the service."""
    id, state = plugin.create(WIDGET, {"name": "a"})
    assert id == "id-a"
    updated = plugin.update(WIDGET, id, state, {"name": "a", "size": 7})
    assert updated["size"] == shelf.widgets[id]["size"] == 7
    plugin.delete(WIDGET, id, updated)
    assert shelf.widgets == {}


def test_a_vanished_resource_reads_as_an_empty_id(plugin: Conversation) -> None:
    """Refresh of something that is gone drops it from the state."""
    assert plugin.read(WIDGET, "id-gone", {"name": "gone"}, {"name": "gone"})[0] == ""


def test_refresh_keeps_only_the_inputs_that_were_set(plugin: Conversation, shelf: Shelf) -> None:
    """Found values replace the old inputs; outputs and unset properties do not become inputs."""
    id, state = plugin.create(WIDGET, {"name": "a", "size": 5})
    shelf.widgets[id] = {**shelf.widgets[id], "size": 6, "shiny": True}
    _, _, inputs = plugin.read(WIDGET, id, state, {"name": "a", "size": 5})
    assert inputs == {"name": "a", "size": 6}


def test_import_gives_inputs_without_defaults(plugin: Conversation, shelf: Shelf) -> None:
    """Read by id alone gives what a program would have to write, and no outputs."""
    shelf.widgets["id-a"] = {"name": "a", "size": 3, "shiny": True, "words": [], "created": True}
    assert plugin.read(WIDGET, "id-a")[2] == {"name": "a", "shiny": True}


def test_an_error_of_the_service_is_the_error(plugin: Conversation) -> None:
    """What the call says reaches the user, in the bridge's list of one."""
    with pytest.raises(grpc.RpcError) as error:
        plugin.create(WIDGET, {"name": "refused"})
    assert error.value.details() == "1 error occurred:\n\t* the shelf is full\n\n"


def test_a_half_made_resource_is_kept(plugin: Conversation) -> None:
    """The failure carries id, state and reasons, so that the engine does not forget the object."""
    with pytest.raises(grpc.RpcError) as error:
        plugin.create(WIDGET, {"name": "half"})
    state, reasons = kept_state(error.value)
    reason = f"creating urn:pulumi:dev::lab::{WIDGET}::one: 1 error occurred:\n\t* it is only half there\n\n"
    assert (state["id"], state["name"], reasons) == ("id-half", "half", [reason])


def test_an_unknown_type_is_refused_by_name(plugin: Conversation) -> None:
    """A resource type that the package lacks is an error that names it and what there is."""
    with pytest.raises(grpc.RpcError) as error:
        plugin.check("toy:index/gadget:Gadget", {})
    assert "toy:index/gadget:Gadget" in error.value.details()
    assert WIDGET in error.value.details()


def test_an_unknown_function_is_refused_by_name(plugin: Conversation) -> None:
    """A function that the package lacks is an error that names it."""
    with pytest.raises(grpc.RpcError) as error:
        plugin.invoke("toy:index/getWidget:getWidget", {})
    assert "toy:index/getWidget:getWidget" in error.value.details()


@pytest.mark.parametrize(
    ("news", "replaces", "first"),
    [
        ({"name": "a", "size": 3}, [], False),
        ({"name": "a", "size": 4}, [], False),
        ({"name": "a", "size": 3, "words": ["x"]}, ["words"], True),
        ({"name": "b", "size": 3}, ["name"], True),
    ],
)
def test_diff_says_update_or_replace(
    plugin: Conversation, news: Values, replaces: list[str], first: bool
) -> None:
    """The description decides; a chosen name is deleted before its replacement."""
    answer = plugin.diff(WIDGET, "id-a", {"name": "a", "size": 3}, news)
    assert list(answer.replaces) == replaces
    assert answer.deleteBeforeReplace is first
    assert (answer.changes == provider_pb2.DiffResponse.DIFF_NONE) is (news == {"name": "a", "size": 3})


def test_ignored_changes_are_left_out(plugin: Conversation) -> None:
    """A path of ignoreChanges hides what is at and below it."""
    answer = plugin.diff(
        WIDGET, "id-a", {"name": "a", "words": ["x"]}, {"name": "a", "words": ["y"]}, ("words[0]",)
    )
    assert answer.changes == provider_pb2.DiffResponse.DIFF_SOME  # the default of size
    assert list(answer.replaces) == []


def test_calls_run_in_parallel(plugin: Conversation) -> None:
    """Eight creates that wait for each other all come through."""
    news: dict[str, Value] = {"name": "together"}
    with ThreadPoolExecutor(8) as pool:
        ids = [future.result()[0] for future in [pool.submit(plugin.create, WIDGET, news) for _ in range(8)]]
    assert ids == ["id-together"] * 8


def test_cancel_stops_the_plugin(plugin: Conversation) -> None:
    """The engine's Cancel asks the process to end."""
    plugin.cancel()
    assert plugin.stops == [True]
