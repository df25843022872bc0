"""One recorded step as the engine's gRPC call, and the answer in the form that recordings have.

The context that every recording shares (URN, random seed) is stated in the recordings' README.
"""

from __future__ import annotations

from typing import Any, Final

import grpc
from google.protobuf.empty_pb2 import Empty
from google.protobuf.json_format import MessageToDict
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc, status_pb2

from sandbox.conformance.recorded_values import from_struct, to_struct
from sandbox.conformance.recording import Step

SEED: Final = b"\x01" * 32
NAME: Final = "rec"
Stub = provider_pb2_grpc.ResourceProviderStub


def urn_of(token: str) -> str:
    """The URN under which every resource was recorded."""
    return f"urn:pulumi:dev::rec::{token}::{NAME}"


def call(stub: Stub, step: Step, token: str, seconds: float) -> dict[str, Any]:
    """Send the step and give its result as a recording would hold it; a gRPC error becomes `error`."""
    try:
        return _CALLS[step["kind"]](stub, step, token, seconds)
    except grpc.RpcError as error:
        return {"error": _error(error)}


def _error(error: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"code": error.code().name, "message": error.details() or ""}
    packed = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin")
    detail = provider_pb2.ErrorResourceInitFailed()
    if packed and any(one.Unpack(detail) for one in status_pb2.Status.FromString(packed).details):
        found["init_failed"] = {
            "id": detail.id,
            "properties": from_struct(detail.properties),
            "inputs": from_struct(detail.inputs),
            "reasons": list(detail.reasons),
        }
    return found


def _failures(answer: Any) -> list[dict[str, str]]:
    found = [{"property": one.property, "reason": one.reason} for one in answer.failures]
    return sorted(found, key=lambda one: one["reason"])


def _check(stub: Stub, step: Step, token: str, seconds: float) -> dict[str, Any]:
    request = provider_pb2.CheckRequest(
        urn=urn_of(token), news=to_struct(step["news"]), olds=to_struct(step["olds"]), randomSeed=SEED
    )
    answer = stub.Check(request, timeout=seconds)
    return {"inputs": from_struct(answer.inputs), "failures": _failures(answer)}


def _check_config(stub: Stub, step: Step, token: str, seconds: float) -> dict[str, Any]:
    # Configurations were recorded under the name `p`, which the texts show.
    urn = urn_of(token).removesuffix(NAME) + "p"
    request = provider_pb2.CheckRequest(
        urn=urn, news=to_struct(step["news"]), olds=to_struct(step.get("olds"))
    )
    answer = stub.CheckConfig(request, timeout=seconds)
    return {"inputs": from_struct(answer.inputs), "failures": _failures(answer)}


def _diff_request(step: Step, token: str) -> Any:
    return provider_pb2.DiffRequest(
        urn=urn_of(token),
        id=step.get("id") or "",
        olds=to_struct(step["olds"]),
        news=to_struct(step["news"]),
        old_inputs=to_struct(step.get("old_inputs")),
        ignoreChanges=step.get("ignore_changes") or [],
    )


def _diff_answer(answer: Any) -> dict[str, Any]:
    kinds = provider_pb2.PropertyDiff.Kind
    return {
        "changes": provider_pb2.DiffResponse.DiffChanges.Name(answer.changes),
        "replaces": list(answer.replaces),
        "delete_before_replace": answer.deleteBeforeReplace,
        "diffs": list(answer.diffs),
        "detailed": {
            path: {"kind": kinds.Name(one.kind), "input": one.inputDiff}
            for path, one in answer.detailedDiff.items()
        },
        "has_detailed": answer.hasDetailedDiff,
        "stables": list(answer.stables),
    }


def _diff(stub: Stub, step: Step, token: str, seconds: float) -> dict[str, Any]:
    return _diff_answer(stub.Diff(_diff_request(step, token), timeout=seconds))


def _diff_config(stub: Stub, step: Step, token: str, seconds: float) -> dict[str, Any]:
    return _diff_answer(stub.DiffConfig(_diff_request(step, token), timeout=seconds))


def _create(stub: Stub, step: Step, token: str, seconds: float) -> dict[str, Any]:
    request = provider_pb2.CreateRequest(
        urn=urn_of(token), properties=to_struct(step["properties"]), preview=step["preview"]
    )
    answer = stub.Create(request, timeout=seconds)
    return {"id": answer.id, "properties": from_struct(answer.properties)}


def _read(stub: Stub, step: Step, token: str, seconds: float) -> dict[str, Any]:
    request = provider_pb2.ReadRequest(urn=urn_of(token), id=step["id"])
    if step["properties"] is not None:
        request.properties.CopyFrom(to_struct(step["properties"]))
    if step["inputs"] is not None:
        request.inputs.CopyFrom(to_struct(step["inputs"]))
    answer = stub.Read(request, timeout=seconds)
    return {
        "id": answer.id,
        "properties": from_struct(answer.properties),
        "inputs": from_struct(answer.inputs),
    }


def _update(stub: Stub, step: Step, token: str, seconds: float) -> dict[str, Any]:
    request = provider_pb2.UpdateRequest(
        urn=urn_of(token),
        id=step["id"],
        olds=to_struct(step["olds"]),
        news=to_struct(step["news"]),
        old_inputs=to_struct(step.get("old_inputs")),
        ignoreChanges=step.get("ignore_changes") or [],
        preview=step["preview"],
    )
    return {"properties": from_struct(stub.Update(request, timeout=seconds).properties)}


def _delete(stub: Stub, step: Step, token: str, seconds: float) -> dict[str, Any]:
    request = provider_pb2.DeleteRequest(
        urn=urn_of(token),
        id=step["id"],
        properties=to_struct(step["properties"]),
        old_inputs=to_struct(step.get("old_inputs")),
    )
    stub.Delete(request, timeout=seconds)
    return {}


def _invoke(stub: Stub, step: Step, _token: str, seconds: float) -> dict[str, Any]:
    request = provider_pb2.InvokeRequest(tok=step["token"], args=to_struct(step["args"]))
    answer = stub.Invoke(request, timeout=seconds)
    return {"return": from_struct(getattr(answer, "return")), "failures": _failures(answer)}


def _configure(stub: Stub, step: Step, _token: str, seconds: float) -> dict[str, Any]:
    request = provider_pb2.ConfigureRequest(
        args=to_struct(step["args"]),
        acceptSecrets=True,
        acceptResources=True,
        sends_old_inputs=True,
        sends_old_inputs_to_delete=True,
    )
    return _document(stub.Configure(request, timeout=seconds))


def _handshake(stub: Stub, step: Step, _token: str, seconds: float) -> dict[str, Any]:
    request = provider_pb2.ProviderHandshakeRequest(configure_with_urn=bool(step.get("configure_with_urn")))
    return _document(stub.Handshake(request, timeout=seconds))


def _plugin_info(stub: Stub, _step: Step, _token: str, seconds: float) -> dict[str, Any]:
    return _document(stub.GetPluginInfo(Empty(), timeout=seconds))


def _document(message: Any) -> dict[str, Any]:
    found: dict[str, Any] = MessageToDict(message, preserving_proto_field_name=True)
    return found


_CALLS: Final = {
    "check": _check,
    "diff": _diff,
    "create": _create,
    "read": _read,
    "update": _update,
    "delete": _delete,
    "invoke": _invoke,
    "check_config": _check_config,
    "diff_config": _diff_config,
    "configure": _configure,
    "handshake": _handshake,
    "get_plugin_info": _plugin_info,
}
