"""proxmoxve:index/dnsLegacy:DnsLegacy and proxmoxve:index/timeLegacy:TimeLegacy.

Both change what a node has anyway: deleting them changes nothing there.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import available_timezones

from sandbox.plugins.properties import string, string_list
from sandbox.plugins.proxmoxve.connection import ApiFailure, Client, path
from sandbox.plugins.resource import CallError, Dialect, Existing, ResourceType
from sandbox.plugins.values import Value, Values, strings, text

_MOST_SERVERS = 3


def _few_servers(value: Value) -> str | None:
    if not isinstance(value, list) or len(value) <= _MOST_SERVERS:
        return None
    text = f"Attribute servers supports {_MOST_SERVERS} item maximum, but config has {len(value)} declared."
    return f"Too many list items. {text}"


def _node_of(id: str, state: Values, suffix: str) -> str:
    return text(state, "nodeName") or id.removesuffix(suffix)


class DnsCalls:
    """The requests of a node's resolvers."""

    def create(self, client: Client, inputs: Values) -> Existing:
        """Write the resolvers."""
        node = text(inputs, "nodeName")
        return Existing(id=f"{node}_dns", state=self.update(client, "", {}, inputs))

    def read(self, client: Client, id: str, state: Values) -> Existing | None:
        """The resolvers; imported by the node's name."""
        node = _node_of(id, state, "_dns")
        try:
            found: dict[str, Any] = client.get(path("nodes", node, "dns"))
        except ApiFailure as error:
            raise CallError(f"error retrieving DNS configuration for node '{node}': {error}") from None
        servers: list[Value] = [found[key] for key in ("dns1", "dns2", "dns3") if found.get(key)]
        # Without servers of its own the resource does not look at what the node has.
        if state and not strings(state, "servers"):
            servers = []
        return Existing(
            id=f"{node}_dns", state={"nodeName": node, "domain": found["search"], "servers": servers}
        )

    def update(self, client: Client, id: str, state: Values, inputs: Values) -> Values:
        """Write them again; removed servers stay on the node, as officially."""
        node, servers = text(inputs, "nodeName"), strings(inputs, "servers")
        body = {"search": text(inputs, "domain")} | {f"dns{n}": one for n, one in enumerate(servers, 1)}
        try:
            client.put(path("nodes", node, "dns"), body)
        except ApiFailure as error:
            raise CallError(f"error updating DNS configuration for node '{node}': {error}") from None
        found = self.read(client, f"{node}_dns", inputs)
        return found.state if found else {}

    def delete(self, client: Client, id: str, state: Values) -> None:
        """Nothing: a node always has resolvers."""


class TimeCalls:
    """The requests of a node's time zone."""

    def create(self, client: Client, inputs: Values) -> Existing:
        """Write the time zone."""
        return Existing(id=f"{text(inputs, 'nodeName')}_time", state=self.update(client, "", {}, inputs))

    def read(self, client: Client, id: str, state: Values) -> Existing | None:
        """The time zone and the clock; imported by the node's name."""
        node = _node_of(id, state, "_time")
        try:
            found: dict[str, Any] = client.get(path("nodes", node, "time"))
        except ApiFailure as error:
            raise CallError(f"error retrieving time zone for node '{node}': {error}") from None
        known = available_timezones()
        if known and found["timezone"] not in known:
            raise CallError(f"unknown time zone {found['timezone']}")
        return Existing(
            id=f"{node}_time",
            state={
                "nodeName": node,
                "timeZone": found["timezone"],
                "localTime": _clock(found["localtime"]),
                "utcTime": _clock(found["time"]),
            },
        )

    def update(self, client: Client, id: str, state: Values, inputs: Values) -> Values:
        """Write it again."""
        node = text(inputs, "nodeName")
        try:
            client.put(path("nodes", node, "time"), {"timezone": text(inputs, "timeZone")})
        except ApiFailure as error:
            raise CallError(f"error updating time zone for node '{node}': {error}") from None
        found = self.read(client, f"{node}_time", {})
        return found.state if found else {}

    def delete(self, client: Client, id: str, state: Values) -> None:
        """Nothing: a node always has a time zone."""


def _clock(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


DNS: ResourceType[Client] = ResourceType(
    token="proxmoxve:index/dnsLegacy:DnsLegacy",
    dialect=Dialect.SDK2,
    zero_fields=True,
    properties=(
        string("nodeName", required=True, replace=True),
        string("domain", required=True),
        string_list("servers", default=[], rules=(_few_servers,)),
    ),
    calls=DnsCalls(),
)
TIME: ResourceType[Client] = ResourceType(
    token="proxmoxve:index/timeLegacy:TimeLegacy",
    dialect=Dialect.SDK2,
    zero_fields=True,
    properties=(
        string("nodeName", required=True),
        string("timeZone", required=True),
        string("localTime", output=True),
        string("utcTime", output=True),
    ),
    calls=TimeCalls(),
)
