"""The three kinds of firewall options: of a guest, of the cluster, of a node.

proxmoxve:firewall/optionsLegacy:OptionsLegacy, proxmoxve:cluster/firewallLegacy:FirewallLegacy and
proxmoxve:node/firewall:Firewall. Deleting the first two changes nothing in Proxmox VE, as officially.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from sandbox.plugins.properties import block, boolean, expected_one_of, integer, one_of, string
from sandbox.plugins.proxmoxve import rules
from sandbox.plugins.proxmoxve.connection import ApiFailure, Client, path
from sandbox.plugins.proxmoxve.scope import (
    checksum,
    firewall_path,
    from_import_id,
    scope_properties,
    scope_state,
)
from sandbox.plugins.resource import CallError, Dialect, Existing, ResourceType
from sandbox.plugins.values import Value, Values, flag, text
from sandbox.plugins.values import block as object_at
from sandbox.plugins.values import integer as whole

_POLICIES = (expected_one_of("ACCEPT", "REJECT", "DROP"),)
_LEVELS = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug", "nolog")
_RATE = r"[1-9][0-9]*/(second|minute|hour|day)"

_GUEST_KEYS = {
    "dhcp": "dhcp", "enabled": "enable", "inputPolicy": "policy_in", "ipfilter": "ipfilter",
    "logLevelIn": "log_level_in", "logLevelOut": "log_level_out", "macfilter": "macfilter", "ndp": "ndp",
    "outputPolicy": "policy_out", "radv": "radv",
}  # fmt: skip
_GUEST_DEFAULTS: Values = {
    "dhcp": False, "enabled": False, "inputPolicy": "DROP", "ipfilter": False, "logLevelIn": "nolog",
    "logLevelOut": "nolog", "macfilter": True, "ndp": False, "outputPolicy": "ACCEPT", "radv": True,
}  # fmt: skip


def _one_guest(name: str, inputs: Values) -> Iterator[str]:
    given = [one for one in ("containerId", "vmId") if inputs.get(one) is not None]
    if len(given) == 1:
        return
    both = "`container_id,vm_id`"
    for prop, upstream in (("containerId", "container_id"), ("vmId", "vm_id")):
        rest = f"only one of {both} can be specified, but {both} were specified." if given else ""
        text = rest or f"one of {both} must be specified"
        yield f"Invalid combination of arguments. \"{upstream}\": {text}. Examine values at '{name}.{prop}'."


class GuestOptionsCalls:
    """The requests of a guest's firewall options."""

    def _read(self, client: Client, scope: Values) -> Values:
        found = client.get(firewall_path(scope, "options"))
        return {**scope_state(scope), **_from_api(_GUEST_KEYS, _GUEST_DEFAULTS, found)}

    def create(self, client: Client, inputs: Values) -> Existing:
        """Write the options."""
        where = firewall_path(inputs, "options")
        return Existing(id=f"options-{checksum(where)}", state=self.update(client, "", {}, inputs))

    def read(self, client: Client, id: str, state: Values) -> Existing | None:
        """The options; imported by `vm/node/id` or `container/node/id`."""
        scope = state or from_import_id(id)
        try:
            found = self._read(client, scope)
        except ApiFailure as error:
            if error.gone:
                return None
            raise CallError(f"error retrieving options: {error}") from None
        return Existing(id=f"options-{checksum(firewall_path(scope, 'options'))}", state=found)

    def update(self, client: Client, id: str, state: Values, inputs: Values) -> Values:
        """Write all of them again."""
        body = _to_api(_GUEST_KEYS, {**_GUEST_DEFAULTS, **_given(inputs)})
        try:
            client.put(firewall_path(inputs, "options"), body)
            return self._read(client, inputs)
        except ApiFailure as error:
            raise CallError(f"error updating options: {error}") from None

    def delete(self, client: Client, id: str, state: Values) -> None:
        """Nothing: the options stay as they are."""


def _given(inputs: Values) -> Values:
    return {key: value for key, value in inputs.items() if value is not None}


def _to_api(keys: dict[str, str], values: Values) -> dict[str, Any]:
    return {key: values[prop] for prop, key in keys.items() if values.get(prop) is not None}


def _from_api(keys: dict[str, str], defaults: Values, found: dict[str, Any]) -> Values:
    state: Values = {}
    for prop, key in keys.items():
        value: Value = found.get(key, defaults.get(prop))
        state[prop] = bool(value) if isinstance(defaults.get(prop), bool) else value
    return state


_CLUSTER_KEYS = {
    "ebtables": "ebtables",
    "enabled": "enable",
    "forwardPolicy": "policy_forward",
    "inputPolicy": "policy_in",
    "outputPolicy": "policy_out",
}
_CLUSTER_DEFAULTS: Values = {
    "ebtables": False,
    "enabled": False,
    "forwardPolicy": "ACCEPT",
    "inputPolicy": "DROP",
    "outputPolicy": "ACCEPT",
}
_LIMIT: Values = {"burst": 5, "enabled": True, "rate": "1/second"}


class ClusterOptionsCalls:
    """The requests of the cluster's firewall options."""

    def _read(self, client: Client) -> Values:
        found = client.get("cluster/firewall/options")
        state = _from_api(_CLUSTER_KEYS, _CLUSTER_DEFAULTS, found)
        limit = dict(
            part.split("=", 1) for part in str(found.get("log_ratelimit", "")).split(",") if "=" in part
        )
        state["logRatelimit"] = {
            "burst": int(limit.get("burst", 5)),
            "enabled": limit.get("enable", "1") == "1",
            "rate": limit.get("rate", "1/second"),
        }
        return state

    def create(self, client: Client, inputs: Values) -> Existing:
        """Write the options."""
        return Existing(id="cluster-firewall", state=self.update(client, "", {}, inputs))

    def read(self, client: Client, id: str, state: Values) -> Existing | None:
        """The options."""
        try:
            return Existing(id="cluster-firewall", state=self._read(client))
        except ApiFailure as error:
            raise CallError(f"error retrieving options: {error}") from None

    def update(self, client: Client, id: str, state: Values, inputs: Values) -> Values:
        """Write all of them again."""
        body = _to_api(_CLUSTER_KEYS, {**_CLUSTER_DEFAULTS, **_given(inputs)})
        limit = {**_LIMIT, **object_at(inputs, "logRatelimit")}
        on = int(flag(limit, "enabled"))
        body["log_ratelimit"] = f"enable={on},burst={whole(limit, 'burst')},rate={text(limit, 'rate')}"
        try:
            client.put("cluster/firewall/options", body)
            return self._read(client)
        except ApiFailure as error:
            raise CallError(f"error updating options: {error}") from None

    def delete(self, client: Client, id: str, state: Values) -> None:
        """Nothing: the options stay as they are."""


_NODE_KEYS = {
    "enabled": "enable", "logLevelForward": "log_level_forward", "logLevelIn": "log_level_in",
    "logLevelOut": "log_level_out", "ndp": "ndp", "nfConntrackMax": "nf_conntrack_max",
    "nfConntrackTcpTimeoutEstablished": "nf_conntrack_tcp_timeout_established", "nftables": "nftables",
    "nosmurfs": "nosmurfs", "smurfLogLevel": "smurf_log_level", "tcpFlagsLogLevel": "tcp_flags_log_level",
}  # fmt: skip
_NODE_DEFAULTS: Values = {
    "enabled": True, "logLevelForward": "nolog", "logLevelIn": "nolog", "logLevelOut": "nolog", "ndp": True,
    "nfConntrackMax": 262144, "nfConntrackTcpTimeoutEstablished": 432000, "nftables": False, "nosmurfs": True,
    "smurfLogLevel": "nolog", "tcpFlagsLogLevel": "nolog",
}  # fmt: skip


class NodeOptionsCalls:
    """The requests of a node's firewall options."""

    def _read(self, client: Client, node: str) -> Values:
        found = client.get(path("nodes", node, "firewall", "options"))
        state: Values = {"nodeName": node}
        for prop, key in _NODE_KEYS.items():
            if key in found:
                boolean_kind = isinstance(_NODE_DEFAULTS[prop], bool)
                state[prop] = bool(found[key]) if boolean_kind else found[key]
        return state

    def create(self, client: Client, inputs: Values) -> Existing:
        """Write the options."""
        return Existing(id=text(inputs, "nodeName"), state=self.update(client, "", {}, inputs))

    def read(self, client: Client, id: str, state: Values) -> Existing | None:
        """The options; imported by the node's name."""
        try:
            return Existing(id=id, state=self._read(client, id))
        except ApiFailure as error:
            raise CallError(f"Error reading Node Firewall options: {error}") from None

    def update(self, client: Client, id: str, state: Values, inputs: Values) -> Values:
        """Write all of them again."""
        node = text(inputs, "nodeName")
        try:
            body = _to_api(_NODE_KEYS, {**_NODE_DEFAULTS, **_given(inputs)})
            client.put(path("nodes", node, "firewall", "options"), body)
            return self._read(client, node)
        except ApiFailure as error:
            raise CallError(f"Error updating Node Firewall options: {error}") from None

    def delete(self, client: Client, id: str, state: Values) -> None:
        """Reset every option to Proxmox VE's default."""
        try:
            gone = {"delete": ",".join(_NODE_KEYS.values())}
            client.put(path("nodes", text(state, "nodeName"), "firewall", "options"), gone)
        except ApiFailure as error:
            raise CallError(f"Error deleting Node Firewall options: {error}") from None


def _rate(value: Value) -> str | None:
    if not isinstance(value, str) or re.fullmatch(_RATE, value):
        return None
    return "invalid value for {name} (Must be a valid rate expression, e.g. '1/second')"


_SDK2_LEVEL = (expected_one_of(*_LEVELS),)
_LEVEL = (one_of(*_LEVELS),)

GUEST: ResourceType[Client] = ResourceType(
    token="proxmoxve:firewall/optionsLegacy:OptionsLegacy",
    dialect=Dialect.SDK2,
    zero_fields=True,
    properties=(
        *scope_properties(node_required=True),
        boolean("dhcp"),
        boolean("enabled"),
        string("inputPolicy", default="DROP", rules=_POLICIES),
        boolean("ipfilter"),
        string("logLevelIn", default="nolog", rules=_SDK2_LEVEL),
        string("logLevelOut", default="nolog", rules=_SDK2_LEVEL),
        boolean("macfilter", default=True),
        boolean("ndp"),
        string("outputPolicy", default="ACCEPT", rules=_POLICIES),
        boolean("radv", default=True),
    ),
    calls=GuestOptionsCalls(),
    check=_one_guest,
)
CLUSTER: ResourceType[Client] = ResourceType(
    token="proxmoxve:cluster/firewallLegacy:FirewallLegacy",
    dialect=Dialect.SDK2,
    zero_fields=True,
    properties=(
        boolean("ebtables"),
        boolean("enabled"),
        string("forwardPolicy", default="ACCEPT", rules=(expected_one_of("ACCEPT", "DROP"),)),
        string("inputPolicy", default="DROP", rules=_POLICIES),
        string("outputPolicy", default="ACCEPT", rules=_POLICIES),
        block(
            "logRatelimit",
            [
                integer("burst", default=5),
                boolean("enabled", default=True),
                string("rate", default="1/second", rules=(_rate,)),
            ],
            default=dict(_LIMIT),
        ),
    ),
    calls=ClusterOptionsCalls(),
)
NODE: ResourceType[Client] = ResourceType(
    token="proxmoxve:node/firewall:Firewall",
    dialect=Dialect.FRAMEWORK,
    properties=(
        string("nodeName", required=True, replace=True, description="The cluster node name."),
        boolean("enabled", planned_default=True),
        string("logLevelForward", planned_default="nolog", rules=_LEVEL),
        string("logLevelIn", planned_default="nolog", rules=_LEVEL),
        string("logLevelOut", planned_default="nolog", rules=_LEVEL),
        boolean("ndp", planned_default=True),
        integer("nfConntrackMax", planned_default=262144, rules=(rules.no_less_than(32768),)),
        integer(
            "nfConntrackTcpTimeoutEstablished", planned_default=432000, rules=(rules.no_less_than(7875),)
        ),
        boolean("nftables", planned_default=False),
        boolean("nosmurfs", planned_default=True),
        string("smurfLogLevel", planned_default="nolog", rules=_LEVEL),
        string("tcpFlagsLogLevel", planned_default="nolog", rules=_LEVEL),
    ),
    calls=NodeOptionsCalls(),
)
