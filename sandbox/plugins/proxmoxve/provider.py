"""The proxmoxve package: configuration, types, and the refusal of every foreign endpoint."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sandbox.plugins.properties import boolean, names, string
from sandbox.plugins.proxmoxve import (
    alias,
    bridge,
    container,
    download,
    firewall_options,
    firewall_rules,
    ipset,
    mapping,
    node_settings,
    security_group,
    vm,
)
from sandbox.plugins.proxmoxve.connection import Client, connect
from sandbox.plugins.resource import Endpoints, Package
from sandbox.plugins.values import Values, text

_TOKEN = re.compile(r"^\S+@\S+!\S+=([a-zA-Z0-9-]+)$")


def refuse(configuration: Values, endpoints: Endpoints) -> Iterator[str]:
    """Why this endpoint or this token cannot be used."""
    endpoint = text(configuration, "endpoint").rstrip("/")
    if not endpoint or endpoint != endpoints.addresses.get("proxmox", "").rstrip("/"):
        yield endpoints.refusal("proxmox", "the property endpoint of the proxmoxve provider", endpoint)
    if not _TOKEN.match(text(configuration, "apiToken")):
        yield (
            "the property apiToken of the proxmoxve provider is not an API token: it must look like"
            " 'user@realm!name=secret'. Use LAB_SECRET_PROXMOX_TOKEN from `.sandbox/env`."
        )


def package() -> Package[Client]:
    """The package as the server needs it."""
    return Package(
        name="proxmoxve",
        version="8.6.0",
        configuration=(string("endpoint"), string("apiToken", secret=True), boolean("insecure")),
        unsupported=names(
            "authTicket csrfPreventionToken minTls otp password randomVmIdEnd randomVmIdStart randomVmIds ssh"
            " tmpDir username"
        ),
        types=(
            bridge.TYPE,
            node_settings.DNS,
            node_settings.TIME,
            download.TYPE,
            mapping.TYPE,
            alias.TYPE,
            ipset.TYPE,
            firewall_options.GUEST,
            firewall_options.CLUSTER,
            firewall_options.NODE,
            firewall_rules.TYPE,
            security_group.TYPE,
            vm.TYPE,
            container.TYPE,
        ),
        connect=connect,
        refuse=refuse,
    )
