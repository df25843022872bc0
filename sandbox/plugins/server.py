"""The process of a plugin: start the service on a loopback port, print the port, stop cleanly."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import import_module
from queue import SimpleQueue
from threading import Thread
from typing import Any, Final

import grpc
from pulumi.runtime.proto import provider_pb2_grpc

from sandbox.plugins.resource import Client, Endpoints, Package
from sandbox.plugins.servicer import Provider

WORKERS: Final = 32
GRACE: Final = 2.0  # seconds that running calls get when the plugin is told to stop
MESSAGE_LIMIT: Final = 400 * 1024 * 1024  # bytes; the engine's own limit


@dataclass(frozen=True, kw_only=True)
class Service:
    """A running plugin: the loopback port it listens on, and the way to end it."""

    port: int
    server: grpc.Server
    provider: Provider[Any]

    def stop(self, grace: float | None = None) -> None:
        """End it; running calls get `grace` seconds."""
        self.server.stop(grace).wait()
        self.provider.close()


def start(package: Package[Client], endpoints: Endpoints, stop: Callable[[], None]) -> Service:
    """Start the service on a free loopback port; `stop` is called when the engine cancels."""
    options = [
        ("grpc.max_receive_message_length", MESSAGE_LIMIT),
        ("grpc.max_send_message_length", MESSAGE_LIMIT),
    ]
    server = grpc.server(ThreadPoolExecutor(max_workers=WORKERS), options=options)
    provider = Provider(package, endpoints, stop)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(provider, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return Service(port=port, server=server, provider=provider)


def serve(package: Package[Client], endpoints: Endpoints) -> None:
    """Serve until the engine cancels or the process is told to stop; the port is the first line of stdout."""
    stops: SimpleQueue[None] = SimpleQueue()  # unlike an Event it may be used in a signal handler
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stops.put(None))
    service = start(package, endpoints, lambda: stops.put(None))
    sys.stdout.write(f"{service.port}\n")
    sys.stdout.flush()
    if package.ahead is not None:
        Thread(target=import_module, args=(package.ahead,), daemon=True).start()
    stops.get()
    service.stop(GRACE)
