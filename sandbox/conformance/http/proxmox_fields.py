"""An answer of Proxmox VE as the plugin reads it, so that two answers that it takes for the same are equal.

The recording's server was small and hand-made (README of the recordings): some of its fields are placeholders, and some
are forms that the plugin takes apart again. Each rule here says why.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

# Other in each run, and never read.
_NEVER_READ: Final = frozenset(("digest", "pid", "pstart", "starttime", "uptime", "vmgenid", "meta", "ctime"))
# Placeholders of the recording's server, and fields that it has and Proxmox VE has not.
_PLACEHOLDERS: Final[Mapping[str, frozenset[str]]] = {
    "GET /access/groups/{groupid}": frozenset(("groupid",)),
    "GET /access/users/{userid}": frozenset(("userid",)),
    "POST /access/users/{userid}/token/{tokenid}": frozenset(("value", "expire")),
    "GET /nodes/{node}/lxc/{vmid}/status/current": frozenset(("maxmem", "cpus", "qmpstatus")),
    "GET /nodes/{node}/qemu/{vmid}/status/current": frozenset(("maxmem", "cpus")),
    "GET /nodes/{node}/qemu/{vmid}/agent/network-get-interfaces": frozenset(("hardware-address",)),
    "GET /nodes/{node}/tasks/{upid}/status": frozenset(("id", "type")),
    "GET /nodes/{node}/time": frozenset(("time", "localtime")),
    "GET /version": frozenset(("repoid", "release", "version")),
    "GET /nodes/{node}/lxc/{vmid}/interfaces": frozenset(("hwaddr", "hardware-address")),
    # A download opens no connection here, so that its size is made up on both sides.
    "GET /nodes/{node}/storage/{storage}/content": frozenset(("size",)),
    "GET /nodes/{node}/query-url-metadata": frozenset(("size",)),
    "POST /access/ticket": frozenset(("ticket", "CSRFPreventionToken")),
}
# The plugin reads these as a number or as its text (facts about the provider, "JSON typing").
_NUMBER_OR_TEXT: Final = frozenset(("memory", "balloon", "cpulimit", "ciupgrade", "prefix"))
_MAC: Final = re.compile(r"\b[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){5}\b")
_UUID: Final = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")


def as_read(endpoint: str, value: Any, sent: str) -> Any:
    """The data of an answer, without what makes no difference to the plugin.

    Args:
        sent: everything that the plugin sent in the case; an address or UUID that is not in it was made by the server.
    """
    unread = _NEVER_READ | _PLACEHOLDERS.get(endpoint, frozenset())
    return _read(value, unread, sent.upper())


def _read(value: Any, unread: frozenset[str], sent: str) -> Any:
    if isinstance(value, dict):
        # An empty text reads as one that is not there.
        return {
            key: _field(key, _read(item, unread, sent))
            for key, item in value.items()
            if key not in unread and item != ""
        }
    if isinstance(value, list):
        return [_read(item, unread, sent) for item in value]
    return _text(value, sent) if isinstance(value, str) else value


def _field(key: str, value: Any) -> Any:
    if key in _NUMBER_OR_TEXT:
        return str(value)
    # The plugin strips the line break with which a file's comment ends.
    return value.rstrip("\n") if key == "comments" else value


def _text(value: str, sent: str) -> str:
    for pattern, word in ((_MAC, "MAC"), (_UUID, "UUID")):
        for found in set(pattern.findall(value)):
            value = value if found.upper() in sent else value.replace(found, word)
    if re.fullmatch(r"[^,=\s]*(?:=[^,]*)?(?:,[\w-]+=[^,]*)+", value):
        # A property string is taken apart; the order of its parts says nothing, nor does the only type that there is.
        return ",".join(sorted(part for part in value.split(",") if part != "type=veth"))
    return value
