"""The state of the Proxmox API as tests write it: what a test is about, everything else as a fresh API has it."""

from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.portfilter.model import Filters, GuestFilter
from sandbox.portfilter.reading import read_filters
from sandbox.proxmox import firewall, groups, records
from sandbox.store import Store

Document = Mapping[str, Any]
ON: Document = {"options": {"enable": 1}}


def rule(kind: str, action: str, **fields: Any) -> dict[str, Any]:
    """A rule that is on; `icmp_type` is written as Python can."""
    given = {key.replace("_", "-"): value for key, value in fields.items()}
    return {"type": kind, "action": action, "enable": 1} | given


def scope(
    *rules: Document,
    aliases: Mapping[str, str] | None = None,
    ipset: Mapping[str, Sequence[str]] | None = None,
    **options: Any,
) -> dict[str, Any]:
    """The firewall of the cluster, a node or a guest that is on; `!` before an entry of a set is an exception."""
    return {
        "options": {"enable": 1} | options,
        "rules": list(rules),
        "aliases": {name.lower(): {"name": name, "cidr": cidr} for name, cidr in (aliases or {}).items()},
        "ipset": {
            name: {
                "comment": "",
                "entries": {
                    text.removeprefix("!"): {"nomatch": 1} if text[0] == "!" else {} for text in found
                },
            }
            for name, found in (ipset or {}).items()
        },
    }


def guest(vmid: int, *, kind: str = "qemu", firewall: int = 1, **config: str) -> dict[str, Any]:
    """The record of a guest with NIC net0 on vmbr0 tag 20, unless its configuration is given."""
    mac = f"BC:24:11:00:14:{vmid % 256:02X}"
    device = f"bridge=vmbr0,firewall={firewall},tag=20"
    if kind == "qemu":
        net0, name = f"virtio={mac},{device}", {"name": f"vm{vmid}"}
    else:
        net0, name = f"name=eth0,hwaddr={mac},{device},ip=10.10.20.{vmid % 256}/24", {"hostname": f"ct{vmid}"}
    return records.new(kind, "pve-a", vmid) | {"config": name | (config or {"net0": net0})}


def write(
    store: Store,
    *guests: Document,
    scopes: Mapping[str, Document] | None = None,
    named: Mapping[str, Sequence[Document]] | None = None,
) -> None:
    """Replace the state.

    Args:
        store: of the API.
        guests: records.
        scopes: firewalls by `cluster`, `node/<name>` and `guest/<vmid>`.
        named: the rules of security groups by name.
    """
    wanted = {
        records.COLLECTION: {str(one["vmid"]): one for one in guests},
        firewall.COLLECTION: scopes or {},
        groups.COLLECTION: {
            name: {"comment": "", "rules": list(rules)} for name, rules in (named or {}).items()
        },
    }
    with store.transaction() as t:
        for collection, documents in wanted.items():
            for key, _ in t.list(collection):
                t.delete(collection, key)
            for key, document in documents.items():
                t.put(collection, key, document)


def filters(*guests: Document, **state: Any) -> Filters:
    """What is filtered in such a state."""
    store = Store(":memory:")
    write(store, *guests, **state)
    with store.transaction() as t:
        found = read_filters(t)
    store.close()
    return found


def guest_filter(*rules: Document, cluster: Document | None = None, **more: Any) -> GuestFilter:
    """What is filtered at the one NIC of guest 201 with these rules and options; the cluster is on."""
    named = more.pop("named", None)
    found = filters(
        guest(201), scopes={"cluster": cluster or scope(), "guest/201": scope(*rules, **more)}, named=named
    )
    port = found.ports[0].guest
    assert port is not None
    return port
