"""The state that a recorded conversation with Proxmox VE began with, made in a fresh API."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import unquote

from sandbox.conformance.errors import Unplayable
from sandbox.conformance.http.conversation import traces
from sandbox.conformance.http.proxmox_seeds import access, cluster, firewalls, node_state
from sandbox.conformance.http.proxmox_seeds.node_state import add_disk, add_file, add_interface
from sandbox.conformance.http.proxmox_seeds.seed import GUEST
from sandbox.conformance.recording import Case
from sandbox.proxmox import drives, firewall, network, nodes, records
from sandbox.proxmox.access import directory as directories
from sandbox.proxmox.access.passwords import password_record
from sandbox.proxmox.guests import GuestHost
from sandbox.store import Store, Transaction

# What the recording's server was told to do and the sandbox does not.
_UNPLAYABLE: Final = re.compile(
    r"failure injected|GET version says|guest agent never answers|task ends with an error"
)
_VOLUME: Final = re.compile(
    r"(?:import-from|ostemplate|file|volume)=([\w-]+:(?:import|iso|vztmpl|snippets)/[^,\s]+)"
)
_MADE: Final = re.compile(r"nodes/[^/]+/(?:qemu|lxc)(?:/\d+/clone)?")
_IDS: Final = ("groupid", "userid", "roleid")
_SEEDS: Final = (*node_state.SEEDS, *firewalls.SEEDS, *access.SEEDS, *cluster.SEEDS)


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
                    add_file(self._t, node, volid)

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
                    add_interface(self._t, match[1], {"iface": bridge, "type": "bridge"})

            listed = one["status"] == 200 and one["method"] == "GET"
            if listed and (match := re.fullmatch(r"nodes/([^/]+)/network", path)):
                self._listed_interfaces(match[1], one["response"]["data"], own)

    def _listed_interfaces(self, node: str, entries: list[dict[str, Any]], own: set[Any]) -> None:
        if self._t.get(network.COLLECTION, node) is None:
            # The node has what the recording's had, and no port more.
            self._t.put(network.COLLECTION, node, {"applied": {}, "pending": {}})
        for entry in entries:
            if entry["iface"] not in own:
                add_interface(self._t, node, entry)

    def _guests(self) -> None:
        for trace in self._traces:
            if match := re.match(GUEST, trace.path):
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
                add_disk(self._t, node, int(vmid), str(text))
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
