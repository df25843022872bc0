"""The state that a recorded conversation with Proxmox VE began with, made in a fresh API."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final
from urllib.parse import unquote

from sandbox.conformance.errors import Unplayable
from sandbox.conformance.http.conversation import EXISTS, Trace, traces
from sandbox.conformance.recording import Case
from sandbox.proxmox import cluster, drives, firewall, groups, network, nodes, records, sdn, sections, volumes
from sandbox.proxmox.access import directory as directories
from sandbox.proxmox.access.passwords import password_record
from sandbox.proxmox.access.roles import PREDEFINED
from sandbox.proxmox.guests import GuestHost
from sandbox.proxmox.sections import Section
from sandbox.store import Store, Transaction

# What the recording's server was told to do and the sandbox does not.
_UNPLAYABLE: Final = re.compile(
    r"failure injected|GET version says|guest agent never answers|task ends with an error"
)
_VOLUME: Final = re.compile(
    r"(?:import-from|ostemplate|file|volume)=([\w-]+:(?:import|iso|vztmpl|snippets)/[^,\s]+)"
)
_GUEST: Final = r"nodes/(?P<node>[^/]+)/(?P<kind>qemu|lxc)/(?P<vmid>\d+)"
_MADE: Final = re.compile(r"nodes/[^/]+/(?:qemu|lxc)(?:/\d+/clone)?")
_IDS: Final = ("groupid", "userid", "roleid")
_SCOPE: Final = rf"(?P<scope>cluster|nodes/[^/]+|{_GUEST})/firewall"


def seed(case: Case, store: Store, host: GuestHost, prefix: str) -> None:
    """Make what was there.

    Raises:
        Unplayable: the recording's server was told to fail.
    """
    if _UNPLAYABLE.search(case.note):
        raise Unplayable(case.note)
    with store.transaction() as t:
        seeding = _Seeding(t, case, prefix)
        seeding.everything()
    for record in seeding.running:
        host.start(records.spec(record))


def _shown_at(path: str) -> str:
    """Where a write shows: a download in the list of contents."""
    return re.sub(r"/(?:download-url|upload)$", "/content", path)


class _Seeding:
    def __init__(self, t: Transaction, case: Case, prefix: str) -> None:
        self._t = t
        self._prefix = prefix
        self._requests = [one for step in case.steps for one in step.get("http") or ()]
        self._traces = list(traces(case, prefix, _shown_at))
        self._made = {str(one["body"].get("vmid") or one["body"].get("newid")) for one in self._making()}
        self.running: list[records.Record] = []

    def _making(self) -> list[dict[str, Any]]:
        paths = ((one["path"].removeprefix(self._prefix), one) for one in self._requests)
        return [
            one
            for path, one in paths
            if one["method"] == "POST" and one["status"] == 200 and _MADE.fullmatch(path) and one["body"]
        ]

    def everything(self) -> None:
        """Guests and what they stand on first, since rules and mappings are about them."""
        self._nodes()
        self._passwords()
        self._subjects()
        self._references()
        self._files()
        self._bridges()
        self._guests()
        # What was read says more than what a refusal hints at.
        for trace in sorted(self._traces, key=lambda trace: trace.data is None):
            for pattern, make in _SEEDS:
                if match := re.fullmatch(pattern, trace.path):
                    make(self._t, {key: unquote(text) for key, text in match.groupdict("").items()}, trace)

    def _bodies(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Path and form of every request that was taken."""
        for one in self._requests:
            if one["status"] == 200 and isinstance(one.get("body"), dict):
                yield one["path"].removeprefix(self._prefix).strip("/"), one["body"]

    def _nodes(self) -> None:
        for node in set(re.findall(r"UPID:([^:]+):", str(self._requests))):
            nodes.remember(self._t, node)

    def _subjects(self) -> None:
        """Groups, users and roles that are referred to and never made."""
        directory = directories.load(self._t)
        made = {value for path, body in self._bodies() for key, value in body.items() if key in _IDS}
        for _, body in self._bodies():
            for group in set(directories.names(str(body.get("groups", "")))) - made:
                directory["groups"].setdefault(group, {"comment": ""})
        directories.save(self._t, directory)

    def _references(self) -> None:
        """IP sets and aliases of the cluster that rules name."""
        scope = firewall.scope_of(self._t, "cluster")
        made = {
            body["name"] for path, body in self._bodies() if re.search(r"firewall/(ipset|aliases)$", path)
        }
        for path, body in self._bodies():
            for text in (body.get("source", ""), body.get("dest", "")) if "firewall/" in path else ():
                name = text.removeprefix("+").removeprefix("dc/")
                if text.startswith("+") and name not in made:
                    scope["ipset"].setdefault(name, {"comment": "", "entries": {}})
                elif re.fullmatch(r"(?:dc/)?[A-Za-z][\w-]*", text) and name not in made:
                    scope["aliases"].setdefault(name.lower(), {"name": name, "cidr": "192.0.2.1"})
        self._t.put(firewall.COLLECTION, "cluster", scope)

    def _passwords(self) -> None:
        for one in self._requests:
            if one["path"].endswith("/access/ticket") and one["status"] == 200:
                directory = directories.load(self._t)
                user = directory["users"].setdefault(one["body"]["username"], directories.new_user())
                user["password"] = password_record(one["body"]["password"])
                directories.save(self._t, directory)

    def _files(self) -> None:
        for one in self._requests:
            for key, value in (one.get("body") or {}).items() if isinstance(one.get("body"), dict) else ():
                for volid in _VOLUME.findall(f"{key}={value}"):
                    node = one["path"].removeprefix(self._prefix).split("/")[1]
                    _add_file(self._t, node, volid)

    def _bridges(self) -> None:
        """Those that a guest was made on with success, but for those that the conversation makes itself."""
        own = {
            one["body"].get("iface")
            for one in self._requests
            if one["path"].endswith("/network") and one.get("body")
        }
        for one in self._requests:
            path = one["path"].removeprefix(self._prefix)
            if one["status"] == 200 and (match := re.match(r"nodes/([^/]+)/(?:qemu|lxc)", path)):
                for bridge in (
                    set(re.findall(r"bridge=(\w+)", str((one.get("body"), one.get("response"))))) - own
                ):
                    _add_interface(self._t, match[1], {"iface": bridge, "type": "bridge"})

            listed = one["status"] == 200 and one["method"] == "GET"
            if listed and (match := re.fullmatch(r"nodes/([^/]+)/network", path)):
                self._listed_interfaces(match[1], one["response"]["data"], own)

    def _listed_interfaces(self, node: str, entries: list[dict[str, Any]], own: set[Any]) -> None:
        if self._t.get(network.COLLECTION, node) is None:
            # The node has what the recording's had, and no port more.
            self._t.put(network.COLLECTION, node, {"applied": {}, "pending": {}})
        for entry in entries:
            if entry["iface"] not in own:
                _add_interface(self._t, node, entry)

    def _guests(self) -> None:
        for trace in self._traces:
            if match := re.match(_GUEST, trace.path):
                if match["vmid"] not in self._made and not trace.refused:
                    self._guest(match["node"], match["kind"], match["vmid"])
            elif trace.path == "cluster/resources":
                for one in trace.data or ():
                    if one.get("type") in ("qemu", "lxc") and str(one["vmid"]) not in self._made:
                        self._guest(one["node"], one["type"], str(one["vmid"]))
            elif match := re.search(r"- (VM|CT) (\d+) already exists on node '([^']+)'", trace.refused):
                self._guest(match[3], "qemu" if match[1] == "VM" else "lxc", match[2])

    def _guest(self, node: str, kind: str, vmid: str) -> None:
        if records.find(self._t, int(vmid)):
            return
        here = f"nodes/{node}/{kind}/{vmid}"
        record = records.new(kind, node, int(vmid))
        config = self._read(f"{here}/config") or {"name" if kind == "qemu" else "hostname": f"rec{vmid}"}
        record["config"] = {key: value for key, value in config.items() if key != "digest"}
        state = self._read(f"{here}/status/current") or {}
        nodes.remember(self._t, node)
        for key, text in record["config"].items():
            if drives.is_drive(key) or re.fullmatch(r"rootfs|mp\d+", key):
                _add_disk(self._t, node, int(vmid), str(text))
        if state.get("status") == "running":
            record["running"] = True
            self.running.append(record)
        records.save(self._t, record)

    def _read(self, path: str) -> Any:
        """What was first read at a path, whatever was written before: the nearest to what was there."""
        for one in self._requests:
            same = one["path"].removeprefix(self._prefix) == path
            if same and one["method"] == "GET" and one["status"] == 200:
                return one["response"]["data"]
        return None


def _add_file(
    t: Transaction, node: str, volid: str, size: int = 2 * volumes.GIB, form: str | None = None
) -> None:
    if volumes.find(t, node, volid) is None:
        content = volid.partition(":")[2].partition("/")[0]
        form = form or volid.rpartition(".")[2]
        volumes.add(t, node, volid, content=content, size=size, form=form)


def _add_disk(t: Transaction, node: str, vmid: int, text: str) -> None:
    volid = text.split(",")[0]
    if ":" in volid and volumes.find(t, node, volid) is None:
        size = re.search(r"size=(\w+)", text)
        content = "rootdir" if "subvol" in volid else "images"
        bytes_ = volumes.read_size(size[1]) if size else 4 * 2**20
        volumes.add(t, node, volid, content=content, size=bytes_, form="raw", vmid=vmid)


def _add_interface(t: Transaction, node: str, entry: dict[str, Any]) -> None:
    state = network.load(t, node)
    kept = {key: value for key, value in entry.items() if key not in ("priority", "digest")}
    for part in ("applied", "pending"):
        state[part].setdefault(
            entry["iface"], {"method": "manual", "method6": "manual", "autostart": 1} | kept
        )
    t.put(network.COLLECTION, node, state)


Names = dict[str, str]


def _interfaces(t: Transaction, names: Names, trace: Trace) -> None:
    for entry in trace.data or ():
        _add_interface(t, names["node"], entry)
    if trace.refused and EXISTS.search(trace.refused):
        _add_interface(t, names["node"], trace.body)


def _interface(t: Transaction, names: Names, trace: Trace) -> None:
    if trace.method != "GET":
        kinds = {"vmbr": "bridge", "bond": "bond"}
        kind = next((kind for start, kind in kinds.items() if names["iface"].startswith(start)), "vlan")
        _add_interface(t, names["node"], {"iface": names["iface"], "type": trace.body.get("type", kind)})


def _contents(t: Transaction, names: Names, trace: Trace) -> None:
    for entry in trace.data or ():
        if "/" in entry["volid"]:
            _add_file(t, names["node"], entry["volid"], entry["size"], entry.get("format"))


def _downloaded(t: Transaction, names: Names, trace: Trace) -> None:
    if EXISTS.search(trace.refused):
        volid = f"{names['storage']}:{trace.body['content']}/{trace.body['filename']}"
        _add_file(t, names["node"], volid)


def _scope_key(names: Names) -> str:
    if names["vmid"]:
        return f"guest/{names['vmid']}"
    return names["scope"] if names["scope"] == "cluster" else f"node/{names['scope'].partition('/')[2]}"


def _scope(t: Transaction, names: Names, part: str, content: Any) -> None:
    scope = firewall.scope_of(t, _scope_key(names))
    t.put(firewall.COLLECTION, _scope_key(names), scope | {part: content})


def _without(entry: dict[str, Any], *names: str) -> dict[str, Any]:
    return {key: value for key, value in entry.items() if key not in names}


def _options(t: Transaction, names: Names, trace: Trace) -> None:
    if trace.data:
        _scope(t, names, "options", _without(trace.data, "digest"))


def _rules(t: Transaction, names: Names, trace: Trace) -> None:
    rules = [_without(rule, "pos", "digest") for rule in trace.data or ()]
    if rules:
        _scope(t, names, "rules", rules)


def _rule(t: Transaction, names: Names, trace: Trace) -> None:
    scope = firewall.scope_of(t, _scope_key(names))
    if trace.data and int(names["pos"]) == len(scope["rules"]):
        _scope(t, names, "rules", [*scope["rules"], _without(trace.data, "pos", "digest")])


def _alias(t: Transaction, names: Names, trace: Trace) -> None:
    found = trace.data or (trace.body if EXISTS.search(trace.refused) else None)
    for alias in [found] if isinstance(found, dict) else found or ():
        scope = firewall.scope_of(t, _scope_key(names))
        kept = {key: value for key, value in alias.items() if key in ("name", "cidr", "comment") and value}
        _scope(t, names, "aliases", scope["aliases"] | {alias["name"].lower(): kept})


def _sets(t: Transaction, names: Names, trace: Trace) -> None:
    for one in trace.data or ([trace.body] if EXISTS.search(trace.refused) else ()):
        scope = firewall.scope_of(t, _scope_key(names))
        made = {"comment": one.get("comment", ""), "entries": {}}
        _scope(t, names, "ipset", {one["name"]: made} | scope["ipset"])


def _set(t: Transaction, names: Names, trace: Trace) -> None:
    scope = firewall.scope_of(t, _scope_key(names))
    entries = {one["cidr"]: _without(one, "cidr", "digest") for one in trace.data or ()}
    _scope(t, names, "ipset", {names["name"]: {"comment": "", "entries": entries}} | scope["ipset"])


def _groups(t: Transaction, names: Names, trace: Trace) -> None:
    for one in trace.data or ([trace.body] if EXISTS.search(trace.refused) else ()):
        if t.get(groups.COLLECTION, one["group"]) is None:
            t.put(groups.COLLECTION, one["group"], {"comment": one.get("comment", ""), "rules": []})


def _group(t: Transaction, names: Names, trace: Trace) -> None:
    known = t.get(groups.COLLECTION, names["group"]) or {"comment": "", "rules": []}
    if not known["rules"]:
        known["rules"] = [_without(rule, "pos", "digest") for rule in trace.data or ()]
    t.put(groups.COLLECTION, names["group"], known)


def _node_setting(name: str) -> Callable[[Transaction, Names, Trace], None]:
    def make(t: Transaction, names: Names, trace: Trace) -> None:
        if trace.data:
            nodes.remember(t, names["node"])
            found = trace.data["timezone"] if name == "timezone" else _without(trace.data, "digest")
            t.put(nodes.NODES, names["node"], t.get(nodes.NODES, names["node"]) | {name: found})

    return make


def _pools(t: Transaction, names: Names, trace: Trace) -> None:
    directory = directories.load(t)
    wanted = list(trace.data or ())
    if not wanted and "poolid" in {**trace.query, **trace.body} and trace.method != "POST":
        wanted = [{**trace.query, **trace.body}]
    if EXISTS.search(trace.refused):
        wanted = [trace.body]
    for vmid in directories.names(str(trace.body.get("vms", ""))):
        if vmid.isdigit() and vmid not in trace.made and records.find(t, int(vmid)) is None:
            records.save(t, records.new("qemu", "pve1", int(vmid)))
    for one in wanted:
        members = [str(member["vmid"]) for member in one.get("members", ()) if "vmid" in member]
        pool = {"comment": one.get("comment", ""), "vms": members, "storage": []}
        directory["pools"].setdefault(one["poolid"], pool)
    directories.save(t, directory)


def _user(t: Transaction, names: Names, trace: Trace) -> None:
    directory, userid = directories.load(t), names.get("userid") or trace.body.get("userid", "")
    if (names.get("userid") and userid not in trace.made) or EXISTS.search(trace.refused):
        source = trace.data or trace.body
        known = ("enable", "expire", "firstname", "lastname", "email", "comment", "keys")
        settings = {key: source[key] for key in known if source.get(key)} if trace.data else {}
        directory["users"].setdefault(userid, directories.new_user(**settings))
    directories.save(t, directory)


def _token(t: Transaction, names: Names, trace: Trace) -> None:
    directory = directories.load(t)
    user = directory["users"].setdefault(names["userid"], directories.new_user())
    if trace.data or EXISTS.search(trace.refused):
        settings = {"expire": 0, "privsep": 1} | (trace.data or {})
        user["tokens"].setdefault(names["tokenid"], {"settings": settings, "digest": ""})
    directories.save(t, directory)


def _user_group(t: Transaction, names: Names, trace: Trace) -> None:
    directory, name = directories.load(t), names.get("groupid") or trace.body.get("groupid", "")
    if names.get("groupid") or EXISTS.search(trace.refused):
        directory["groups"].setdefault(name, {"comment": (trace.data or {}).get("comment", "")})
        for member in (trace.data or {}).get("members", ()):
            user = directory["users"].setdefault(member, directories.new_user())
            user["groups"] = sorted({*user["groups"], name})
    directories.save(t, directory)


def _role(t: Transaction, names: Names, trace: Trace) -> None:
    directory, name = directories.load(t), names.get("roleid") or trace.body.get("roleid", "")
    if names.get("roleid") or EXISTS.search(trace.refused):
        directory["roles"].setdefault(name, sorted(trace.data or ()))
    directories.save(t, directory)


def _acl(t: Transaction, names: Names, trace: Trace) -> None:
    directory = directories.load(t)
    for entry in trace.data or ():
        if entry not in directory["acl"]:
            directory["acl"].append(entry)
    for userid in set(directories.names(str(trace.body.get("users", "")))) - trace.made:
        directory["users"].setdefault(userid, directories.new_user())
    for token in directories.names(str(trace.body.get("tokens", ""))):
        userid, _, name = token.partition("!")
        user = directory["users"].setdefault(userid, directories.new_user())
        user["tokens"].setdefault(name, {"settings": {"expire": 0, "privsep": 1}, "digest": ""})
    for role in set(directories.names(str(trace.body.get("roles", "")))) - trace.made - PREDEFINED.keys():
        directory["roles"].setdefault(role, [])
    directories.save(t, directory)


def _section(section: Section) -> Callable[[Transaction, Names, Trace], None]:
    def make(t: Transaction, names: Names, trace: Trace) -> None:
        exists = EXISTS.search(trace.refused)
        name = names.get(section.key) or str(trace.body.get(section.key, ""))
        if (
            name
            and (exists or trace.method in ("GET", "PUT", "DELETE"))
            and t.get(section.collection, name) is None
        ):
            t.put(
                section.collection, name, _without(trace.data or trace.body, "digest", "delete", section.key)
            )

    return make


def _subnets(t: Transaction, names: Names, trace: Trace) -> None:
    """A network of this name must be there, in the zone that the subnets' names begin with."""
    if t.get(sdn.VNETS.collection, names["vnet"]) is None and names["vnet"] not in trace.made:
        zone = names.get("subnet", "").partition("-")[0] or "vlz1"
        t.put(sdn.VNETS.collection, names["vnet"], {"zone": zone})


def _zone_of(t: Transaction, names: Names, trace: Trace) -> None:
    zone = trace.body.get("zone")
    if zone and t.get("pve/sdn-zones", zone) is None:
        t.put("pve/sdn-zones", zone, {"type": "simple"})


def _options_of_cluster(t: Transaction, names: Names, trace: Trace) -> None:
    if trace.data:
        t.put(cluster.OPTIONS, "datacenter", trace.data)


_SEEDS: Final[tuple[tuple[str, Callable[[Transaction, Names, Trace], None]], ...]] = (
    (r"nodes/(?P<node>[^/]+)/network", _interfaces),
    (r"nodes/(?P<node>[^/]+)/network/(?P<iface>[^/]+)", _interface),
    (r"nodes/(?P<node>[^/]+)/storage/(?P<storage>[^/]+)/content", _contents),
    (r"nodes/(?P<node>[^/]+)/storage/(?P<storage>[^/]+)/download-url", _downloaded),
    (r"nodes/(?P<node>[^/]+)/dns", _node_setting("dns")),
    (r"nodes/(?P<node>[^/]+)/time", _node_setting("timezone")),
    (rf"{_SCOPE}/options", _options),
    (rf"{_SCOPE}/rules", _rules),
    (rf"{_SCOPE}/rules/(?P<pos>\d+)", _rule),
    (rf"{_SCOPE}/aliases(?:/(?P<name>[^/]+))?", _alias),
    (rf"{_SCOPE}/ipset", _sets),
    (rf"{_SCOPE}/ipset/(?P<name>[^/]+)", _set),
    (r"cluster/firewall/groups", _groups),
    (r"cluster/firewall/groups/(?P<group>[^/]+)", _group),
    (r"pools", _pools),
    (r"access/users", _user),
    (r"access/users/(?P<userid>[^/]+)", _user),
    (r"access/users/(?P<userid>[^/]+)/token/(?P<tokenid>[^/]+)", _token),
    (r"access/groups(?:/(?P<groupid>[^/]+))?", _user_group),
    (r"access/roles(?:/(?P<roleid>[^/]+))?", _role),
    (r"access/acl", _acl),
    (r"nodes/(?P<node>[^/]+)/hosts", _node_setting("hosts")),
    (r"nodes/(?P<node>[^/]+)/config", _node_setting("config")),
    (r"cluster/options", _options_of_cluster),
    (r"cluster/sdn/vnets", _zone_of),
    (r"cluster/sdn/vnets/(?P<vnet>[^/]+)/subnets(?:/(?P<subnet>[^/]+))?", _subnets),
    *(
        (f"{one.base.strip('/')}(?:/(?P<{one.key}>[^/]+))?", _section(one))
        for one in (*sections.SECTIONS, sdn.VNETS)
    ),
)
