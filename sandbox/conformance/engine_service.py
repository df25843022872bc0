"""The engine's own service, which official plugins log to; what they say is not part of a comparison."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

from sandbox.conformance.errors import ConformanceError


class _Engine(engine_pb2_grpc.EngineServicer):
    def Log(self, request: Any, context: Any) -> Empty:
        """Taken and forgotten."""
        return Empty()

    def GetRootResource(self, request: Any, context: Any) -> Any:
        """No stack is deployed."""
        return engine_pb2.GetRootResourceResponse()


class EngineService:
    """A running engine service; `address` is what plugins get as their last argument."""

    def __init__(self) -> None:
        """Start it on a free loopback port.

        Raises:
            ConformanceError: no port could be opened.
        """
        self._server = grpc.server(ThreadPoolExecutor(max_workers=8))
        engine_pb2_grpc.add_EngineServicer_to_server(_Engine(), self._server)
        try:
            self.address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        except RuntimeError as error:
            raise ConformanceError(
                f"engine service: no loopback port can be opened: {error}. Is 127.0.0.1 up, and are ports free?"
            ) from None
        self._server.start()

    def close(self) -> None:
        """Stop it."""
        self._server.stop(None).wait()
