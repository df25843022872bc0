"""The firewall configuration of the cluster, the nodes and the guests: options, rules, aliases, IP sets.

It is kept and checked here; what a guest's packets meet is `sandbox.portfilter`'s work. Security groups are in
`groups`.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any

from sandbox.proxmox import records, rulelists
from sandbox.proxmox.call import Call, Handler, Routes
from sandbox.proxmox.errors import bad_parameters, failed
from sandbox.store import Transaction

COLLECTION = "pve/firewall"
_GUESTS = (("qemu", "/nodes/{node}/qemu/{vmid}/firewall"), ("lxc", "/nodes/{node}/lxc/{vmid}/firewall"))

Scope = dict[str, Any]


def _empty() -> Scope:
    return {"options": {}, "rules": [], "aliases": {}, "ipset": {}}


class _Place:
    """One kind of scope: where its documents are and which guest they belong to."""

    def __init__(self, kind: str) -> None:
        self._kind = kind

    def key(self, values: Mapping[str, Any]) -> str:
        if self._kind == "cluster":
            return "cluster"
        return f"node/{values['node']}" if self._kind == "node" else f"guest/{values['vmid']}"

    def load(self, call: Call) -> Scope:
        if self._kind in ("qemu", "lxc"):
            records.load(call.t, self._kind, call.node, int(call.values["vmid"]))
        return scope_of(call.t, self.key(call.values))

    def save(self, call: Call, scope: Scope) -> None:
        call.t.put(COLLECTION, self.key(call.values), scope)


def scope_of(t: Transaction, key: str) -> Scope:
    """The firewall of `cluster`, `node/<name>` or `guest/<vmid>`; an empty one where nothing was configured."""
    scope: Scope | None = t.get(COLLECTION, key)
    return scope or _empty()


def forget_guest(t: Transaction, record: records.Record) -> None:
    """Remove the firewall file of a guest that is destroyed."""
    t.delete(COLLECTION, f"guest/{record['vmid']}")


def known_names(t: Transaction, values: Mapping[str, Any]) -> tuple[set[str], set[str]]:
    """The aliases and IP sets that a rule may use, as the rule writes them, in lower case.

    Cluster names may be written bare or with `dc/`; a guest's own bare or with `guest/`.
    """
    found: tuple[set[str], set[str]] = (set(), set())
    scopes = [("dc/", t.get(COLLECTION, "cluster"))]
    if "vmid" in values:
        scopes.append(("guest/", t.get(COLLECTION, f"guest/{values['vmid']}")))
    for prefix, scope in scopes:
        for names, part in zip(found, ("aliases", "ipset"), strict=True):
            for name in (scope or _empty())[part]:
                names |= {name.lower(), f"{prefix}{name.lower()}"}
    return found


def _options(place: _Place) -> tuple[Handler, Handler]:
    def get(call: Call) -> Any:
        options = place.load(call)["options"]
        return options | {"digest": records.digest(options)}

    def put(call: Call) -> None:
        scope = place.load(call)
        records.check_digest(scope["options"], call.values.get("digest"))
        for key in re.split(r"[,;\s]+", call.values.get("delete", "")):
            scope["options"].pop(key, None)
        scope["options"] |= call.rest("node", "vmid", "delete", "digest")
        place.save(call, scope)

    return get, put


def _rules(place: _Place) -> dict[str, Handler]:
    def load(call: Call) -> list[rulelists.Rule]:
        rules: list[rulelists.Rule] = place.load(call)["rules"]
        return rules

    def save(call: Call, rules: list[rulelists.Rule]) -> None:
        place.save(call, place.load(call) | {"rules": rules})

    return rulelists.handlers(load, save, known_names)


def _shown_alias(alias: dict[str, Any]) -> dict[str, Any]:
    version = ipaddress.ip_interface(alias["cidr"]).version
    return alias | {"ipversion": version, "digest": records.digest(alias)}


def _tidy_cidr(text: str) -> str:
    """The network of an address with a prefix; a single address and an alias stay as they are."""
    try:
        return str(ipaddress.ip_interface(text).network) if "/" in text else text
    except ValueError:
        return text


def _aliases(place: _Place, base: str) -> dict[tuple[str, str], Handler]:
    def find(call: Call, scope: Scope) -> dict[str, Any]:
        alias: dict[str, Any] | None = scope["aliases"].get(call.values["name"].lower())
        if alias is None:
            raise failed(f"no such alias '{call.values['name']}'")
        return alias

    def listing(call: Call) -> Any:
        return [_shown_alias(alias) for alias in place.load(call)["aliases"].values()]

    def create(call: Call) -> None:
        scope, name = place.load(call), call.values["name"]
        if name.lower() in scope["aliases"]:
            raise bad_parameters({"name": f"alias '{name}' already exists"})
        alias = call.rest("node", "vmid") | {"cidr": _tidy_cidr(call.values["cidr"])}
        scope["aliases"][name.lower()] = {key: value for key, value in alias.items() if value != ""}
        place.save(call, scope)

    def get(call: Call) -> Any:
        return _shown_alias(find(call, place.load(call)))

    def change(call: Call) -> None:
        scope = place.load(call)
        old = find(call, scope)
        records.check_digest(old, call.values.get("digest"))
        new = {"name": old["name"], "cidr": _tidy_cidr(call.values["cidr"])}
        if call.values.get("comment"):
            new["comment"] = call.values["comment"]
        renamed = call.values.get("rename", old["name"])
        if renamed.lower() != old["name"].lower() and renamed.lower() in scope["aliases"]:
            raise bad_parameters({"name": f"alias '{renamed}' already exists"})
        del scope["aliases"][old["name"].lower()]
        scope["aliases"][renamed.lower()] = new | {"name": renamed}
        place.save(call, scope)

    def delete(call: Call) -> None:
        scope = place.load(call)
        del scope["aliases"][find(call, scope)["name"].lower()]
        place.save(call, scope)

    return {
        ("GET", f"{base}/aliases"): listing,
        ("POST", f"{base}/aliases"): create,
        ("GET", f"{base}/aliases/{{name}}"): get,
        ("PUT", f"{base}/aliases/{{name}}"): change,
        ("DELETE", f"{base}/aliases/{{name}}"): delete,
    }


def _entry(cidr: str, entry: dict[str, Any]) -> dict[str, Any]:
    return {"cidr": cidr, **entry, "digest": records.digest(entry)}


def _ipsets(place: _Place, base: str) -> dict[tuple[str, str], Handler]:
    def find(call: Call, scope: Scope) -> dict[str, Any]:
        found: dict[str, Any] | None = scope["ipset"].get(call.values["name"])
        if found is None:
            raise failed(f"no such IPSet '{call.values['name']}'")
        return found

    def listing(call: Call) -> Any:
        return [
            {"name": name, "digest": records.digest(one)}
            | ({"comment": one["comment"]} if one["comment"] else {})
            for name, one in place.load(call)["ipset"].items()
        ]

    def create(call: Call) -> None:
        scope, name = place.load(call), call.values["name"]
        comment, old = call.values.get("comment", ""), call.values.get("rename")
        if old is not None:
            if old not in scope["ipset"]:
                raise bad_parameters({"name": f"IPSet '{old}' does not exist"})
            entries = scope["ipset"].pop(old)["entries"]
        elif name in scope["ipset"]:
            raise bad_parameters({"name": f"IPSet '{name}' already exists"})
        else:
            entries = {}
        scope["ipset"][name] = {"comment": comment, "entries": entries}
        place.save(call, scope)

    def get(call: Call) -> Any:
        return [_entry(cidr, entry) for cidr, entry in find(call, place.load(call))["entries"].items()]

    def add(call: Call) -> None:
        scope = place.load(call)
        entries, cidr = find(call, scope)["entries"], _tidy_cidr(call.values["cidr"])
        if cidr in entries:
            raise bad_parameters({"cidr": f"address '{cidr}' already exists"})
        if cidr[0].isalpha() and ":" not in cidr and cidr.lower() not in known_names(call.t, call.values)[0]:
            raise bad_parameters({"cidr": f"no such alias '{cidr}'"})
        entries[cidr] = {key: call.values[key] for key in ("comment", "nomatch") if call.values.get(key)}
        place.save(call, scope)

    def get_entry(call: Call) -> Any:
        entries, cidr = find(call, place.load(call))["entries"], call.values["cidr"]
        if cidr not in entries:
            raise failed(f"no such IP/Network '{cidr}' in IPSet '{call.values['name']}'")
        return _entry(cidr, entries[cidr])

    def delete_entry(call: Call) -> None:
        scope = place.load(call)
        find(call, scope)["entries"].pop(call.values["cidr"], None)
        place.save(call, scope)

    def delete(call: Call) -> None:
        scope = place.load(call)
        if find(call, scope)["entries"] and not call.values.get("force"):
            raise failed(f"IPSet '{call.values['name']}' is not empty")
        del scope["ipset"][call.values["name"]]
        place.save(call, scope)

    return {
        ("GET", f"{base}/ipset"): listing,
        ("POST", f"{base}/ipset"): create,
        ("GET", f"{base}/ipset/{{name}}"): get,
        ("POST", f"{base}/ipset/{{name}}"): add,
        ("DELETE", f"{base}/ipset/{{name}}"): delete,
        ("GET", f"{base}/ipset/{{name}}/{{cidr}}"): get_entry,
        ("DELETE", f"{base}/ipset/{{name}}/{{cidr}}"): delete_entry,
    }


def _scope_routes(kind: str, base: str) -> dict[tuple[str, str], Handler]:
    place = _Place(kind)
    get, put = _options(place)
    rules = _rules(place)
    found: dict[tuple[str, str], Handler] = {
        ("GET", f"{base}/options"): get,
        ("PUT", f"{base}/options"): put,
        ("GET", f"{base}/rules"): rules["list"],
        ("POST", f"{base}/rules"): rules["insert"],
        ("GET", f"{base}/rules/{{pos}}"): rules["get"],
        ("PUT", f"{base}/rules/{{pos}}"): rules["change"],
        ("DELETE", f"{base}/rules/{{pos}}"): rules["delete"],
    }
    # Nodes have no aliases and IP sets of their own.
    return found if kind == "node" else found | _aliases(place, base) | _ipsets(place, base)


def routes() -> Routes:
    """The calls of this module."""
    found = _scope_routes("cluster", "/cluster/firewall") | _scope_routes("node", "/nodes/{node}/firewall")
    for kind, base in _GUESTS:
        found |= _scope_routes(kind, base)
    return found
