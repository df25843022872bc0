"""docker:index/network:Network. Every property replaces, the old network first.

A plain bridge network is all a lab needs: ingress, swarm scopes and IPv6 are refused. The official plugin's
fixed
delays around create and delete are left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.plugins.docker import labels
from sandbox.plugins.docker.connection import is_missing, reported_as
from sandbox.plugins.properties import block_set, boolean, names, string, string_map
from sandbox.plugins.resource import DeleteFirst, Dialect, Existing, ResourceType
from sandbox.plugins.values import Value, Values, block, blocks, flag, text

if TYPE_CHECKING:
    from docker import APIClient
    from docker.types import IPAMConfig

IPAM_FIELDS = [
    string("subnet", replace=True),
    string("gateway", replace=True),
    string("ipRange", replace=True, planned_default=""),
    string_map("auxAddress", replace=True),
]
PROPERTIES = (
    string("name", replace=True, named=True),
    string("driver", replace=True, computed=True),
    boolean("internal", replace=True, computed=True),
    boolean("attachable", replace=True),
    string_map("options", replace=True, computed=True),
    labels.labels(),
    string("ipamDriver", replace=True, default="default"),
    block_set("ipamConfigs", IPAM_FIELDS, upstream="ipam_config", replace=True, computed=True, whole=True),
    string("scope", output=True),
)
UNSUPPORTED = names("ingress ipamOptions ipv6")


def _ipam(inputs: Values) -> IPAMConfig:
    from docker.types import IPAMConfig, IPAMPool

    pools = [
        IPAMPool(
            subnet=text(pool, "subnet") or None,
            iprange=text(pool, "ipRange") or None,
            gateway=text(pool, "gateway") or None,
            aux_addresses={name: str(address) for name, address in block(pool, "auxAddress").items()} or None,
        )
        for pool in blocks(inputs, "ipamConfigs")
    ]
    return IPAMConfig(driver=text(inputs, "ipamDriver"), pool_configs=pools)


def _pool_found(found: dict[str, Any]) -> Value:
    auxiliary = found.get("AuxiliaryAddresses") or found.get("AuxAddress") or {}
    return {
        "subnet": found.get("Subnet", ""),
        "gateway": found.get("Gateway", ""),
        "ipRange": found.get("IPRange", ""),
        "auxAddress": dict(auxiliary),
    }


def _state(found: dict[str, Any]) -> Values:
    ipam = found.get("IPAM") or {}
    return {
        "name": found["Name"],
        "driver": found.get("Driver", ""),
        "internal": found.get("Internal", False),
        "attachable": found.get("Attachable", False),
        "ingress": found.get("Ingress", False),
        "ipv6": found.get("EnableIPv6", False),
        "options": dict(found.get("Options") or {}),
        "labels": labels.from_engine(found.get("Labels")),
        "ipamDriver": ipam.get("Driver", "default"),
        "ipamConfigs": [_pool_found(pool) for pool in ipam.get("Config") or []],
        "ipamOptions": dict(ipam.get("Options") or {}),
        "scope": found.get("Scope", ""),
    }


def _created(found: dict[str, Any]) -> Values:
    """The outputs right after create: maps that are empty and were not asked for are null until a refresh."""
    state = _state(found)
    pools = [
        pool if pool["auxAddress"] else pool | {"auxAddress": None} for pool in blocks(state, "ipamConfigs")
    ]
    return state | {"ipamConfigs": [*pools], "ipamOptions": state["ipamOptions"] or None}


class NetworkCalls:
    """The requests of a network."""

    def create(self, client: APIClient, inputs: Values) -> Existing:
        """Create the network; an existing name is an error."""
        with reported_as("Unable to create network"):
            made = client.create_network(
                text(inputs, "name"),
                driver=text(inputs, "driver") or None,
                options=block(inputs, "options") or None,
                ipam=_ipam(inputs),
                internal=flag(inputs, "internal"),
                attachable=flag(inputs, "attachable") or None,
                labels=labels.to_engine(inputs) or None,
                check_duplicate=True,
            )
            return Existing(id=made["Id"], state=_created(client.inspect_network(made["Id"])))

    def read(self, client: APIClient, id: str, state: Values) -> Existing | None:
        """The network by id or name."""
        with reported_as("Unable to inspect network"):
            try:
                found = client.inspect_network(id)
            except Exception as error:
                if is_missing(error):
                    return None
                raise
        return Existing(id=found["Id"], state=_state(found))

    def update(self, client: APIClient, id: str, state: Values, inputs: Values) -> Values:
        """Nothing of a network changes in place."""
        return {**state, **inputs}

    def delete(self, client: APIClient, id: str, state: Values) -> None:
        """Remove the network; one that is gone is no error."""
        with reported_as("Unable to remove network"):
            try:
                client.remove_network(id)
            except Exception as error:
                if not is_missing(error):
                    raise


TYPE: ResourceType[APIClient] = ResourceType(
    token="docker:index/network:Network",
    dialect=Dialect.SDK2,
    properties=PROPERTIES,
    unsupported=UNSUPPORTED,
    calls=NetworkCalls(),
    delete_first=DeleteFirst.NAMED,
)
