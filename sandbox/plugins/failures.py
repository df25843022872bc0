"""Errors of resource types as gRPC statuses.

A failed call is UNKNOWN with the type's sentence, as in the official plugins. A half-made resource carries
the detail
from which the engine keeps its state. Any other exception is a bug and stays gRPC's own UNKNOWN.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import NoReturn, ParamSpec, TypeVar

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from pulumi.runtime.proto import provider_pb2, status_pb2

from sandbox.plugins import wire
from sandbox.plugins.resource import CallError, PartialFailure

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")


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
