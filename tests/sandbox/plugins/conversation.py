"""The engine's side of the provider protocol: start a package here and talk to it over real gRPC."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc, status_pb2

from sandbox.plugins import wire
from sandbox.plugins.resource import Endpoints, Package
from sandbox.plugins.server import start
from sandbox.plugins.values import Values

URN = "urn:pulumi:dev::lab::{token}::{name}"


@dataclass(kw_only=True)
class Conversation:
    """One plugin and the requests that the engine would send."""

    stub: provider_pb2_grpc.ResourceProviderStub
    stops: list[bool]

    def configure(self, configuration: Values, secret: tuple[str, ...] = ()) -> Any:
        """Send the provider's configuration."""
        return self.stub.Configure(
            provider_pb2.ConfigureRequest(args=wire.encode(configuration, secret), acceptSecrets=True)
        )

    def check_config(self, configuration: Values, secret: tuple[str, ...] = ()) -> Any:
        """Check the provider's configuration."""
        urn = URN.format(token="pulumi:providers:x", name="here")
        return self.stub.CheckConfig(
            provider_pb2.CheckRequest(urn=urn, news=wire.encode(configuration, secret))
        )

    def check(self, token: str, news: Values, olds: Values | None = None, name: str = "one") -> Any:
        """Check a resource's inputs."""
        urn = URN.format(token=token, name=name)
        news_struct, olds_struct = wire.encode(news), wire.encode(olds or {})
        return self.stub.Check(provider_pb2.CheckRequest(urn=urn, news=news_struct, olds=olds_struct))

    def reasons(self, token: str, news: Values) -> list[str]:
        """Why Check refuses the inputs."""
        return [failure.reason for failure in self.check(token, news).failures]

    def inputs(self, token: str, news: Values, olds: Values | None = None) -> Values:
        """The accepted inputs."""
        answer = self.check(token, news, olds)
        assert not answer.failures
        return wire.decode(answer.inputs)

    def create(self, token: str, news: Values, *, preview: bool = False) -> tuple[str, Values]:
        """Check and create; gives id and outputs, secrets marked."""
        answer = self.stub.Create(
            provider_pb2.CreateRequest(
                urn=URN.format(token=token, name="one"),
                properties=wire.encode(self.inputs(token, news)),
                preview=preview,
            )
        )
        return answer.id, wire.decode(answer.properties)

    def diff(self, token: str, id: str, state: Values, news: Values, ignore: tuple[str, ...] = ()) -> Any:
        """Check the new inputs and compare them with the outputs."""
        return self.stub.Diff(
            provider_pb2.DiffRequest(
                urn=URN.format(token=token, name="one"),
                id=id,
                olds=wire.encode(state),
                news=wire.encode(self.inputs(token, news)),
                ignoreChanges=ignore,
            )
        )

    def update(self, token: str, id: str, state: Values, news: Values, *, preview: bool = False) -> Values:
        """Check the new inputs and update."""
        answer = self.stub.Update(
            provider_pb2.UpdateRequest(
                urn=URN.format(token=token, name="one"),
                id=id,
                olds=wire.encode(state),
                news=wire.encode(self.inputs(token, news)),
                preview=preview,
            )
        )
        return wire.decode(answer.properties)

    def read(
        self, token: str, id: str, state: Values | None = None, inputs: Values | None = None
    ) -> tuple[str, Values, Values]:
        """Refresh (with state and inputs) or import (without); gives id, outputs and inputs."""
        answer = self.stub.Read(
            provider_pb2.ReadRequest(
                urn=URN.format(token=token, name="one"),
                id=id,
                properties=wire.encode(state or {}),
                inputs=wire.encode(inputs or {}),
            )
        )
        return answer.id, wire.decode(answer.properties), wire.decode(answer.inputs)

    def delete(self, token: str, id: str, state: Values) -> None:
        """Delete."""
        self.stub.Delete(
            provider_pb2.DeleteRequest(
                urn=URN.format(token=token, name="one"), id=id, properties=wire.encode(state)
            )
        )

    def invoke(self, token: str, arguments: Values) -> Any:
        """Call a function."""
        return self.stub.Invoke(provider_pb2.InvokeRequest(tok=token, args=wire.encode(arguments)))

    def cancel(self) -> None:
        """Ask the plugin to stop."""
        self.stub.Cancel(Empty())


@contextmanager
def conversation(package: Package[Any], addresses: dict[str, str]) -> Iterator[Conversation]:
    """A started plugin that may talk to `addresses` only."""
    stops: list[bool] = []
    endpoints = Endpoints(addresses=addresses, file=".sandbox/endpoints.json")
    service = start(package, endpoints, lambda: stops.append(True))
    try:
        with grpc.insecure_channel(f"127.0.0.1:{service.port}") as channel:
            yield Conversation(stub=provider_pb2_grpc.ResourceProviderStub(channel), stops=stops)
    finally:
        service.stop()


def kept_state(error: grpc.RpcError) -> tuple[Values, list[str]]:
    """The state and the reasons that a failed create or update tells the engine to keep."""
    metadata = dict(error.trailing_metadata())
    status = status_pb2.Status.FromString(metadata["grpc-status-details-bin"])
    detail = provider_pb2.ErrorResourceInitFailed()
    assert status.details[0].Unpack(detail)
    return {**wire.decode(detail.properties), "id": detail.id}, list(detail.reasons)
