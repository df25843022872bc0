"""Generated requests to the sandbox's Proxmox VE."""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import quote, urlencode

from hypothesis import given
from hypothesis import strategies as st

from sandbox.conformance.serving import served_on_loopback
from sandbox.proxmox import drives, firewall, network, nodes, records, tasks, volumes
from sandbox.proxmox.description import ApiDescription
from sandbox.proxmox.server import application, routes
from sandbox.store import Store
from tests.evidence.requests import proxmox
from tests.evidence.requests.budget import PER_RUN, TEN_THOUSAND
from tests.evidence.requests.junk import odd_credentials
from tests.evidence.requests.sending import Answer, Request, Sender, sender
from tests.sandbox.proxmox.doubles import TOKEN, RecordingHost
from tests.support.shared import shared_path

DEFECT = "the sandbox failed at this call"
STATUSES = {200, 400, 401, 403, 404, 415, 500, 501}
# The real `cluster/nextid` answers its integer as text.
TYPES: Mapping[str, Any] = {
    "null": type(None), "array": list, "object": dict, "string": str, "integer": (int, str), "boolean": int,
    "any": object,
}  # fmt: skip
DELETE_VOLUME = ("DELETE", "/nodes/{node}/storage/{storage}/content/{volume}")
_HERE = f"nodes/{proxmox.NODE}"
_FILES = (("import", "debian-13.qcow2"), ("vztmpl", "debian-13.tar.zst"))
BEFORE: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("POST", f"{_HERE}/network", {"iface": "vmbr0", "type": "bridge", "autostart": "1", "bridge_vlan_aware": "1"}),
    ("PUT", f"{_HERE}/network", {}),
    *[
        ("POST", f"{_HERE}/storage/local/download-url", {"content": kind, "filename": name, "url": f"https://x/{name}"})
        for kind, name in _FILES
    ],
    ("POST", "cluster/firewall/groups", {"group": "guests"}),
    ("POST", f"{_HERE}/qemu", {"vmid": proxmox.VM, "net0": "virtio,bridge=vmbr0", "scsi0": "local-lvm:8"}),
    ("POST", f"{_HERE}/lxc", {"vmid": proxmox.CONTAINER, "ostemplate": proxmox.TEMPLATE, "rootfs": "tank:4"}),
)  # fmt: skip


@cache
def description() -> ApiDescription:
    """Proxmox's own description of its API."""
    return ApiDescription.load(shared_path("schemas/pve-apidoc.json"))


@cache
def raw_description() -> Any:
    """The same with what the calls return, which the sandbox does not read."""
    return json.loads(shared_path("schemas/pve-apidoc.json").read_text())["paths"]


@cache
def returned(method: str, template: str) -> Any:
    """The Python type of what a call answers, as the description gives it."""
    raw = raw_description()
    return TYPES[raw[template][method].get("returns", {}).get("type", "any")]


def check_answer(call: proxmox.Call | None, answer: Answer) -> Any:
    """Every answer has the envelope, and a good one data of the type that the description gives; gives the data.

    Args:
        call: what was asked; None where that cannot be told.
        answer: what came back.
    """
    assert answer.status in STATUSES, answer
    assert answer.kind == "application/json", answer
    assert DEFECT not in answer.reason, answer
    document = answer.document()
    if answer.status != 200:
        assert set(document) <= {"data", "message", "errors"}, document
        assert document["data"] is None
        assert document["message"].strip(), document
        return None
    assert set(document) == {"data"}, document
    assert call is None or isinstance(document["data"], returned(*call)), (call, document)
    return document["data"]


def check_state(store: Store, *, volumes_deleted: bool) -> None:
    """What a record names exists: the node of a guest, a task and a volume, the volumes of a guest, its firewall.

    As in Proxmox VE, a volume can be deleted although a guest names it.
    """
    with store.transaction() as t:
        known = set(nodes.names(t))
        guests = {str(record["vmid"]): record for record in records.every(t)}
        disks = dict(t.list(volumes.COLLECTION))
        for record in guests.values():
            assert record["node"] in known
            records.spec(record)
            if not volumes_deleted:
                check_drives(record, disks)
        for key, volume in disks.items():
            assert key.partition("/")[0] in known
            assert "vmid" not in volume or str(volume["vmid"]) in guests, (volume, sorted(guests))
        for _, task in t.list(tasks.COLLECTION):
            assert task["node"] in known
            assert task["status"] == "stopped"
        for key, _ in t.list(firewall.COLLECTION):
            kind, _, name = key.partition("/")
            assert kind == "cluster" or name in (known if kind == "node" else guests), key
        for node, state in t.list(network.COLLECTION):
            assert node in known
            assert all(key == entry["iface"] for key, entry in state["pending"].items())


def check_drives(record: records.Record, disks: Mapping[str, Any]) -> None:
    """Each volume of its own that a guest names is there; one of another guest goes with that one (qemu-server,
    destroy_vm removes what it owns and asks nobody)."""
    for key, text in record["config"].items():
        volume = str(text).split(",")[0]
        if drives.is_mount(key) and f"-{record['vmid']}-" in volume and not volume.startswith("/"):
            assert f"{record['node']}/{volume}" in disks, (key, text)


def begin(client: Sender) -> str:
    """A bridge, an image, a template and guests, so that requests find something; gives a task."""
    data = None
    for method, path, values in BEFORE:
        headers, body = {"Content-Type": "application/x-www-form-urlencoded"}, urlencode(values).encode()
        answer = client.send(Request(method=method, path=f"/api2/json/{path}", body=body, headers=headers))
        assert answer.status == 200, answer
        data = answer.document()["data"]
    return str(data)


@TEN_THOUSAND
@given(st.data())
def test_ten_thousand_requests(data: st.DataObject) -> None:
    """Whatever is asked, the answer has the envelope, and the state is sound afterwards."""
    run = data.draw(runs())
    store = Store(":memory:")
    app = application(store, token=TOKEN, description=description(), guests=RecordingHost())
    with served_on_loopback(app) as base, sender(base, f"PVEAPIToken={TOKEN}") as client:
        upids = [begin(client)]
        for (call, request), number in run:
            upid = quote(upids[number % len(upids)], safe="")
            # A path that goes upwards or lacks a part is another call than the one that it was made from.
            dotted = {"", ".", ".."} & set(request.path.partition("?")[0].split("/")[1:])
            found = check_answer(None if dotted else call, client.send(request.filled(upid=upid)))
            if isinstance(found, str) and found.startswith("UPID:"):
                upids.append(found)
    check_state(store, volumes_deleted=any(call == DELETE_VOLUME for (call, _), _ in run))
    store.close()


def test_odd_credentials() -> None:
    """Whatever stands in the header, it opens nothing and crashes nothing."""
    app = application(Store(":memory:"), token=TOKEN, description=description(), guests=RecordingHost())
    with served_on_loopback(app) as base:
        owner = TOKEN.partition("=")[0]
        for text in (*odd_credentials("PVEAPIToken"), f"PVEAPIToken={owner}=\xff"):
            with sender(base, text) as client:
                answer = client.send(Request(method="GET", path="/api2/json/nodes"))
                check_answer(("GET", "/nodes"), answer)
                assert answer.status == 401


@cache
def runs() -> st.SearchStrategy[list[tuple[tuple[proxmox.Call, Request], int]]]:
    """Requests one after the other, each with a number that chooses the task that it may name."""
    one = st.tuples(proxmox.requests(description(), routes()), st.integers(0, 99))
    return st.lists(one, min_size=PER_RUN, max_size=PER_RUN)
