"""The gRPC service of a plugin, written once for all packages.

It translates between the engine's requests and a `Package`. The engine is told that secrets are not accepted
(as the
official plugins tell it), so it sends plain values and marks the outputs itself; outputs that a type declares
secret
are marked here. Handshake is UNIMPLEMENTED, officially too. No request, input or output is ever logged.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable
from typing import Any, Final, Generic

import grpc
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from sandbox.plugins import wire
from sandbox.plugins.check import check_properties, check_resource
from sandbox.plugins.diff import Action, Difference, diff_configuration, diff_resource
from sandbox.plugins.failures import abort, answers_errors, worded
from sandbox.plugins.marking import encoded, marked_fields
from sandbox.plugins.plan import (
    imported_inputs,
    plan_create,
    plan_update,
    refreshed_inputs,
    without_bookkeeping,
)
from sandbox.plugins.properties import Change
from sandbox.plugins.resource import CallError, Client, Dialect, Endpoints, Package, ResourceType
from sandbox.plugins.values import Values, contains_unknown, reveal

Kind = provider_pb2.PropertyDiff.Kind
KINDS: Final = {
    (Action.ADD, False): Kind.ADD,
    (Action.ADD, True): Kind.ADD_REPLACE,
    (Action.UPDATE, False): Kind.UPDATE,
    (Action.UPDATE, True): Kind.UPDATE_REPLACE,
    (Action.DELETE, False): Kind.DELETE,
    (Action.DELETE, True): Kind.DELETE_REPLACE,
}


class Provider(provider_pb2_grpc.ResourceProviderServicer, Generic[Client]):
    """The provider service of one package. One process serves one configured provider."""

    def __init__(self, package: Package[Client], endpoints: Endpoints, stop: Callable[[], None]) -> None:
        """Serve `package`, talking to `endpoints` only; `stop` ends the process (the engine's Cancel)."""
        self._package = package
        self._endpoints = endpoints
        self._stop = stop
        self._configuration: Values = {}
        self._client: Client | None = None
        self._lock = threading.Lock()

    def _connected(self) -> Client:
        with self._lock:
            if self._client is None:
                self._client = self._package.connect(self._configuration, self._endpoints)
            return self._client

    def close(self) -> None:
        """Give back what the client holds."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            self._package.close(client)

    def _type(self, urn: str, context: grpc.ServicerContext) -> ResourceType[Client]:
        token = urn.split("::")[2].rpartition("$")[2]
        found = self._package.by_token.get(token)
        if found is None:
            known = ", ".join(sorted(self._package.by_token))
            abort(
                context,
                grpc.StatusCode.INVALID_ARGUMENT,
                f"the resource type {token} is not supported by the sandbox's stand-in for the"
                f" {self._package.name}"
                f" plugin, which has: {known}. Use the official plugin for it.",
            )
        return found

    # --- the plugin itself --------------------------------------------------------------------------------

    def Handshake(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Not implemented, as in the official plugins; the engine then falls back to Configure."""
        abort(context, grpc.StatusCode.UNIMPLEMENTED, "Handshake is not yet implemented")

    def Parameterize(self, request: Any, context: grpc.ServicerContext) -> Any:
        """No package here takes parameters."""
        abort(context, grpc.StatusCode.UNIMPLEMENTED, "Parameterize is not implemented")

    def GetPluginInfo(self, request: Empty, context: grpc.ServicerContext) -> plugin_pb2.PluginInfo:
        """The version of the SDK this plugin stands in for."""
        return plugin_pb2.PluginInfo(version=self._package.version)

    def GetSchema(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.GetSchemaResponse:
        """A schema of names only: enough for the engine's caches, not for code generation."""
        schema = {
            "name": self._package.name,
            "version": self._package.version,
            "resources": {
                item.token: {
                    "inputProperties": {
                        one.name: {"$ref": "pulumi.json#/Any"} for one in item.properties if not one.output
                    },
                    "properties": {one.name: {"$ref": "pulumi.json#/Any"} for one in item.properties},
                    "requiredInputs": [one.name for one in item.properties if one.required],
                }
                for item in self._package.types
            },
        }
        return provider_pb2.GetSchemaResponse(schema=json.dumps(schema))

    def GetMapping(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.GetMappingResponse:
        """No mapping for converters."""
        return provider_pb2.GetMappingResponse()

    def Attach(self, request: Any, context: grpc.ServicerContext) -> Empty:
        """Accepted; nothing is sent to the engine on our own account."""
        return Empty()

    def Cancel(self, request: Empty, context: grpc.ServicerContext) -> Empty:
        """Stop the process once running calls have ended."""
        self._stop()
        return Empty()

    # --- configuration ------------------------------------------------------------------------------------

    @answers_errors
    def CheckConfig(
        self, request: provider_pb2.CheckRequest, context: grpc.ServicerContext
    ) -> provider_pb2.CheckResponse:
        """Refuse unknown keys and every endpoint but the sandbox's."""
        given, _ = wire.decode_plain(request.news)
        package = self._package
        checked = check_properties(
            f"pulumi:providers:{package.name}",
            Dialect.FRAMEWORK,
            package.configuration,
            package.unsupported,
            {
                name: _parsed(value)
                for name, value in given.items()
                if name not in ("version", "pluginDownloadURL")
            },
            name=request.name or request.urn.rpartition("::")[2],
        )
        reasons = [f"could not validate provider configuration: {reason}" for reason in checked.reasons]
        if not contains_unknown(given):
            reasons.extend(package.refuse(checked.inputs, self._endpoints))
        secret = [item.name for item in package.configuration if item.secret]
        kept = {item.name: item.default for item in package.configuration if item.default is not None} | given
        return provider_pb2.CheckResponse(
            inputs=wire.encode(kept, secret),
            failures=[provider_pb2.CheckFailure(property="", reason=reason) for reason in reasons],
        )

    @answers_errors
    def DiffConfig(
        self, request: provider_pb2.DiffRequest, context: grpc.ServicerContext
    ) -> provider_pb2.DiffResponse:
        """Never a replacement: the same provider goes on with the new configuration."""
        old, _ = wire.decode_plain(request.olds)
        new, _ = wire.decode_plain(request.news)
        found = diff_configuration(self._package.configuration, old, new)
        unknown = self._package.diff_is_unknown or not found
        answer = provider_pb2.DiffResponse.DIFF_UNKNOWN if unknown else provider_pb2.DiffResponse.DIFF_SOME
        return provider_pb2.DiffResponse(
            changes=answer,
            diffs=[] if unknown else [one.property for one in found],
            detailedDiff={one.path: _property_diff(one, of_input=True) for one in found},
        )

    @answers_errors
    def Configure(
        self, request: provider_pb2.ConfigureRequest, context: grpc.ServicerContext
    ) -> provider_pb2.ConfigureResponse:
        """Keep the configuration; makes no request. An endpoint outside the sandbox is refused here too."""
        given = {name: _parsed(reveal(value)) for name, value in wire.decode(request.args).items()}
        if not contains_unknown(given):
            reasons = list(self._package.refuse(given, self._endpoints))
            if reasons:
                raise CallError("\n".join(reasons))
        self._configuration = given
        return provider_pb2.ConfigureResponse(
            acceptSecrets=False,
            supportsPreview=True,
            acceptResources=self._package.accepts_resources,
            supports_autonaming_configuration=True,
        )

    # --- resources ----------------------------------------------------------------------------------------

    @answers_errors
    def Check(
        self, request: provider_pb2.CheckRequest, context: grpc.ServicerContext
    ) -> provider_pb2.CheckResponse:
        """Validate, coerce and fill the inputs of a resource."""
        kind = self._type(request.urn, context)
        olds, _ = wire.decode_plain(request.olds)
        news, secret = wire.decode_plain(request.news)
        name = request.urn.rpartition("::")[2]
        checked = check_resource(
            kind, news, olds=olds, name=name, generated_name=_generated_name(request, name)
        )
        return provider_pb2.CheckResponse(
            inputs=encoded(kind, checked.inputs, secret),
            failures=[provider_pb2.CheckFailure(property="", reason=reason) for reason in checked.reasons],
        )

    @answers_errors
    def Diff(
        self, request: provider_pb2.DiffRequest, context: grpc.ServicerContext
    ) -> provider_pb2.DiffResponse:
        """Say what an update would change, and whether it replaces."""
        kind = self._type(request.urn, context)
        state, _ = wire.decode_plain(request.olds)
        inputs, _ = wire.decode_plain(request.news)
        diff = diff_resource(kind, state, inputs, list(request.ignoreChanges))
        detailed = kind.dialect is Dialect.SDK2
        return provider_pb2.DiffResponse(
            changes=provider_pb2.DiffResponse.DIFF_SOME
            if diff.changed
            else provider_pb2.DiffResponse.DIFF_NONE,
            diffs=diff.changed,
            replaces=diff.replaces,
            deleteBeforeReplace=diff.delete_before_replace,
            detailedDiff={one.path: _property_diff(one, of_input=False) for one in diff.details},
            hasDetailedDiff=detailed,
            stables=sorted(one.name for one in kind.properties if one.change is Change.REPLACE)
            if detailed
            else [],
        )

    @answers_errors
    def Create(
        self, request: provider_pb2.CreateRequest, context: grpc.ServicerContext
    ) -> provider_pb2.CreateResponse:
        """Create the object, or in a preview say what would be known."""
        kind = self._type(request.urn, context)
        inputs, secret = wire.decode_plain(request.properties)
        marked = secret | kind.secret_names
        if request.preview:
            with worded(kind, "diffing", request.urn):
                planned = plan_create(kind, inputs)
            return provider_pb2.CreateResponse(id="", properties=encoded(kind, planned, marked))
        with worded(kind, "creating", request.urn):
            created = kind.calls.create(self._connected(), _known(inputs))
        state = {**created.state, "id": created.id}
        return provider_pb2.CreateResponse(id=created.id, properties=encoded(kind, state, marked))

    @answers_errors
    def Read(
        self, request: provider_pb2.ReadRequest, context: grpc.ServicerContext
    ) -> provider_pb2.ReadResponse:
        """Refresh, or import by id alone; a vanished object is answered with an empty id."""
        kind = self._type(request.urn, context)
        state, secret = wire.decode_plain(request.properties)
        inputs, secret_inputs = wire.decode_plain(request.inputs)
        with worded(kind, "refreshing", request.urn):
            found = kind.calls.read(self._connected(), request.id, state)
        if found is None:
            return provider_pb2.ReadResponse(id="")
        if inputs:
            kept = refreshed_inputs(kind, inputs, found.state)
        else:
            kept = found.inputs if found.inputs is not None else imported_inputs(kind, found.state)
        return provider_pb2.ReadResponse(
            id=found.id,
            properties=encoded(kind, {**found.state, "id": found.id}, secret | kind.secret_names),
            inputs=encoded(kind, kept, secret_inputs | kind.secret_names),
        )

    @answers_errors
    def Update(
        self, request: provider_pb2.UpdateRequest, context: grpc.ServicerContext
    ) -> provider_pb2.UpdateResponse:
        """Change the object in place, or in a preview say what would be known."""
        kind = self._type(request.urn, context)
        state, _ = wire.decode_plain(request.olds)
        inputs, secret = wire.decode_plain(request.news)
        marked = secret | kind.secret_names
        if request.preview:
            diff = diff_resource(kind, state, inputs, list(request.ignoreChanges))
            planned = plan_update(kind, state, inputs, diff.changed)
            return provider_pb2.UpdateResponse(properties=encoded(kind, planned, marked))
        with worded(
            kind, "updating", request.urn, lambda: (request.id, _planned_update(kind, state, inputs))
        ):
            updated = kind.calls.update(self._connected(), request.id, state, _known(inputs))
        return provider_pb2.UpdateResponse(
            properties=encoded(kind, {**updated, "id": updated.get("id", request.id)}, marked)
        )

    @answers_errors
    def Delete(self, request: provider_pb2.DeleteRequest, context: grpc.ServicerContext) -> Empty:
        """Remove the object."""
        kind = self._type(request.urn, context)
        state, _ = wire.decode_plain(request.properties)
        with worded(kind, "deleting", request.urn):
            kind.calls.delete(self._connected(), request.id, state)
        return Empty()

    @answers_errors
    def Invoke(
        self, request: provider_pb2.InvokeRequest, context: grpc.ServicerContext
    ) -> provider_pb2.InvokeResponse:
        """Answer a function."""
        function = next((one for one in self._package.functions if one.token == request.tok), None)
        if function is None:
            known = ", ".join(one.token for one in self._package.functions) or "none"
            raise CallError(
                f"the function {request.tok} is not supported by the sandbox's stand-in for the"
                f" {self._package.name}"
                f" plugin, which has: {known}. Use the official plugin for it."
            )
        given, _ = wire.decode_plain(request.args)
        checked = check_properties(
            function.token,
            Dialect.FRAMEWORK,
            function.arguments,
            function.unsupported,
            given,
            name=function.token.rpartition(":")[2],
        )
        if checked.reasons:
            failures = [provider_pb2.CheckFailure(property="", reason=reason) for reason in checked.reasons]
            return provider_pb2.InvokeResponse(failures=failures)
        answer = function.call(self._connected(), checked.inputs)
        return provider_pb2.InvokeResponse(**{"return": wire.encode(answer)})


def _planned_update(kind: ResourceType[Any], state: Values, inputs: Values) -> Values:
    """The outputs that an update which failed leaves in the state."""
    planned = plan_update(kind, state, inputs, diff_resource(kind, state, inputs, []).changed)
    return marked_fields(kind, planned)


def _known(inputs: Values) -> Values:
    """The inputs without bookkeeping; an unknown one here is the engine's mistake or ours."""
    unknown = sorted(name for name, value in inputs.items() if contains_unknown(value))
    if unknown:
        raise CallError(f"unknown values reached a real operation, in: {', '.join(unknown)}")
    plain = without_bookkeeping(inputs)
    assert isinstance(plain, dict)
    return plain


def _parsed(value: Any) -> Any:
    """A configuration value: the engine sends everything but texts as JSON in a text."""
    if not isinstance(value, str) or not value or value[0] not in "[{tf":
        return value
    try:
        parsed = json.loads(value)
    except json.JSONDecodeError:
        return value
    return parsed if isinstance(parsed, bool | list | dict) else value


def _generated_name(request: provider_pb2.CheckRequest, name: str) -> str:
    """The engine's proposal, else the resource's name and seven hexadecimal digits of the engine's random
    seed.
    """
    if request.HasField("autonaming"):
        if request.autonaming.mode == provider_pb2.CheckRequest.AutonamingOptions.Mode.DISABLE:
            return ""
        return request.autonaming.proposed_name
    seed = request.randomSeed or request.urn.encode()
    return f"{name}-{hashlib.sha256(seed).hexdigest()[:7]}"


def _property_diff(difference: Difference, *, of_input: bool) -> provider_pb2.PropertyDiff:
    return provider_pb2.PropertyDiff(kind=KINDS[difference.action, difference.replaces], inputDiff=of_input)
