"""docker:index/container:Container, created as the official plugin creates it.

Create: the image is found or pulled; the container is made on `networkMode` (default `bridge`), disconnected
from it,
connected to each network of `networksAdvanced`, given its files, started, and waited for. When a step after
the
first fails, the half-made container is kept in the state with the reason. Update sends only restart policy
and
memory; a changed health check or mount is taken into the state and changes nothing, officially too.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from sandbox.plugins.docker import container_config, container_state, image
from sandbox.plugins.docker.connection import engine_text, is_missing, one_error, reported_as
from sandbox.plugins.docker.container_properties import PROPERTIES, UNSUPPORTED
from sandbox.plugins.resource import CallError, DeleteFirst, Dialect, Existing, PartialFailure, ResourceType
from sandbox.plugins.values import UNKNOWN, Values, blocks, flag, integer, strings, text

if TYPE_CHECKING:
    from docker import APIClient

HEALTH_PAUSE = 0.2  # seconds between two looks at the health
UPDATED = ("restart", "maxRetryCount", "memory", "memorySwap")
NO_HEALTHCHECK = (
    "you have supplied a 'wait' argument, but the container does not have a healthcheck defined."
    " Please remove the"
    " 'wait' argument or add a 'healthcheck' attribute"
)


class ContainerCalls:
    """The requests of a container."""

    def create(self, client: APIClient, inputs: Values) -> Existing:
        """Create and start the container, wait for its health if asked, and read it."""
        reference = text(inputs, "image")
        with reported_as(f"Unable to create container with image {reference}"):
            try:
                image.find_or_pull(client, reference)
            except CallError as error:
                what = f"Unable to create container with image {reference}: {error}"
                raise CallError(one_error(what)) from None
        with reported_as("Unable to create container"):
            made = client.create_container_from_config(container_config.body(inputs), text(inputs, "name"))
        id: str = made["Id"]
        try:
            self._complete(client, id, inputs)
            found = self._inspect(client, id)
        except CallError as error:
            reasons = (str(error),)
            raise PartialFailure(id=id, state=container_state.unfilled(inputs), reasons=reasons) from None
        if found is None:
            raise CallError(one_error(f"the container {text(inputs, 'name')} vanished while it was created"))
        return Existing(id=id, state=container_state.created(inputs, found))

    def _complete(self, client: APIClient, id: str, inputs: Values) -> None:
        self._connect_networks(client, id, inputs)
        with reported_as("Unable to upload volume content"):
            for upload in blocks(inputs, "uploads"):
                client.put_archive(id, "/", container_config.archive(upload))
        if not flag(inputs, "start"):
            return
        with reported_as("Unable to start container"):
            client.start(id)
        if flag(inputs, "wait"):
            self._wait_until_healthy(client, id, integer(inputs, "waitTimeout"))

    def _connect_networks(self, client: APIClient, id: str, inputs: Values) -> None:
        networks = blocks(inputs, "networksAdvanced")
        if not networks:
            return
        with reported_as("Unable to disconnect the default network"):
            client.disconnect_container_from_network(id, text(inputs, "networkMode"))
        for network in networks:
            name = text(network, "name")
            with reported_as(f"Unable to connect to network '{name}'"):
                client.connect_container_to_network(
                    id,
                    name,
                    ipv4_address=text(network, "ipv4Address") or None,
                    aliases=strings(network, "aliases") or None,
                )

    def _wait_until_healthy(self, client: APIClient, id: str, seconds: int) -> None:
        deadline = time.monotonic() + seconds
        while True:
            found = self._inspect(client, id) or {}
            health = (found.get("State") or {}).get("Health")
            if not health:
                raise CallError(one_error(NO_HEALTHCHECK))
            if health.get("Status") == "healthy":
                return
            if time.monotonic() >= deadline:
                raise CallError(one_error("container failed to be in healthy state"))
            time.sleep(HEALTH_PAUSE)

    def _inspect(self, client: APIClient, id: str) -> dict[str, Any] | None:
        with reported_as("Unable to inspect container"):
            try:
                found: dict[str, Any] = client.inspect_container(id)
            except Exception as error:
                if is_missing(error):
                    return None
                raise
        return found

    def read(self, client: APIClient, id: str, state: Values) -> Existing | None:
        """The container by its full id (a name finds nothing, officially too)."""
        found = self._inspect(client, id)
        if found is None or found["Id"] != id:
            return None
        return Existing(id=id, state=container_state.refreshed(state or {"mustRun": True}, found))

    def update(self, client: APIClient, id: str, state: Values, inputs: Values) -> Values:
        """Send what Docker can change in a container; the rest only enters the state."""
        planned = container_state.updated(state, inputs)
        try:
            if flag(inputs, "mustRun") and not flag(state, "mustRun"):
                with reported_as("Unable to start container"):
                    client.start(id)
            if any(state.get(name) != planned.get(name) for name in UPDATED):
                self._update(client, id, planned)
        except CallError as error:
            raise PartialFailure(id=id, state=planned, reasons=(str(error),)) from None
        return planned

    def _update(self, client: APIClient, id: str, planned: Values) -> None:
        with reported_as("Unable to update a container"):
            client.update_container(
                id,
                mem_limit=container_config.memory_bytes(planned, "memory") or None,
                memswap_limit=container_config.memory_bytes(planned, "memorySwap") or None,
                restart_policy=container_config.restart_policy(planned),
            )

    def delete(self, client: APIClient, id: str, state: Values) -> None:
        """Stop within the grace time, remove with anonymous volumes, and wait; a container that is gone is
        fine.
        """
        steps = (
            (
                "Unable to stop container",
                lambda: client.stop(id, timeout=integer(state, "destroyGraceSeconds")),
            ),
            ("Unable to remove container", lambda: self._remove(client, id, state)),
            ("Unable to wait for container", lambda: client.wait(id, condition="not-running")),
        )
        for what, step in steps:
            try:
                step()
            except Exception as error:
                if is_missing(error):
                    continue
                said = engine_text(error)
                if said is None:
                    raise
                raise CallError(one_error(f"{what}: {said}")) from None

    def _remove(self, client: APIClient, id: str, state: Values) -> None:
        # Numbers and None, so that the query is the official client's: flags that are set, as 1. The package's types
        # want booleans, which it would send as words.
        volumes = 1 if state.get("removeVolumes") is not False else None
        client.remove_container(id, v=volumes, link=None, force=1)  # type: ignore[arg-type]


def _planned(planned: Values, _state: Values | None) -> Values:
    """The user comes from the image, so removing it is no change; officially a preview shows none all the same."""
    return planned | {"user": None} if planned.get("user") is UNKNOWN else planned


TYPE: ResourceType[APIClient] = ResourceType(
    token="docker:index/container:Container",
    dialect=Dialect.SDK2,
    properties=PROPERTIES,
    unsupported=UNSUPPORTED,
    calls=ContainerCalls(),
    delete_first=DeleteFirst.ALWAYS,
    plan=_planned,
)
