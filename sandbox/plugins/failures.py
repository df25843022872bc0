"""Errors of resource types as gRPC statuses.

A failed call is UNKNOWN with the type's sentence, as in the official plugins. A half-made resource carries
the detail
from which the engine keeps its state. Any other exception is a bug and stays gRPC's own UNKNOWN.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, NoReturn, ParamSpec, TypeAlias, TypeVar

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from pulumi.runtime.proto import provider_pb2, status_pb2

from sandbox.plugins import wire
from sandbox.plugins.resource import CallError, Dialect, PartialFailure, ResourceType
from sandbox.plugins.values import Values

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")
Kept: TypeAlias = "tuple[str, Values]"
_LIST = re.compile(r"\d+ errors? occurred:")


def answers_errors(method: Callable[Arguments, Answer]) -> Callable[Arguments, Answer]:
    """Turn the errors of types into gRPC statuses; other exceptions are bugs and end as gRPC's UNKNOWN."""

    @wraps(method)
    def answered(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Answer:
        context = args[-1]
        assert isinstance(context, grpc.ServicerContext)
        try:
            return method(*args, **kwargs)
        except (CallError, wire.WireError) as error:
            abort(context, grpc.StatusCode.UNKNOWN, str(error))
        except PartialFailure as failure:
            _abort_partial(context, failure)

    return answered


@contextmanager
def worded(
    kind: ResourceType[Any], verb: str, urn: str, planned: Callable[[], Kept] | None = None
) -> Iterator[None]:
    """Word the errors of a call below this block as the bridge does for types of Terraform's SDKv2.

    There an error is a list of one, and what it interrupted stands before it. An update that fails leaves the
    planned outputs in the state; with `planned` every error does so.
    """
    if kind.dialect is not Dialect.SDK2:
        yield
        return
    try:
        yield
    except PartialFailure as failure:
        reasons = tuple(f"{verb} {urn}: {_listed(reason)}" for reason in failure.reasons)
        raise PartialFailure(failure.id, failure.state, reasons) from None
    except CallError as error:
        listed = _listed(str(error))
        if str(error).startswith("diffing: "):
            raise CallError(f"diffing {urn}: {listed}") from None  # it is found before anything is done
        if planned is not None:
            id, state = planned()
            raise PartialFailure(id, state, (f"{verb} {urn}: {listed}",)) from None
        # A create that made nothing is not said to be one.
        raise CallError(listed if verb == "creating" else f"{verb} {urn}: {listed}") from None


def _listed(text: str) -> str:
    found = _LIST.search(text)
    return text[found.start() :] if found else f"1 error occurred:\n\t* {text}\n\n"


def abort(context: grpc.ServicerContext, code: grpc.StatusCode, message: str) -> NoReturn:
    """End the call with a status."""
    context.abort(code, message)
    raise AssertionError("abort() raises")


def _abort_partial(context: grpc.ServicerContext, failure: PartialFailure) -> NoReturn:
    """Fail with the detail that makes the engine keep the half-made resource."""
    detail = provider_pb2.ErrorResourceInitFailed(
        id=failure.id, properties=wire.encode(failure.state), reasons=list(failure.reasons)
    )
    packed = AnyMessage()
    packed.Pack(detail)
    message = "; ".join(failure.reasons)
    status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=message, details=[packed])
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    abort(context, grpc.StatusCode.UNKNOWN, message)
