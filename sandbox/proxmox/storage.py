"""Storage calls: lists, contents, and downloads, which the sandbox records and does not perform.

`download-url` never opens a connection: the file is recorded with an assumed size, and the task's log
says that the download is simulated. `query-url-metadata` answers with the same size.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote, urlsplit

from sandbox.proxmox import volumes
from sandbox.proxmox.access.checks import denied
from sandbox.proxmox.call import Call, Routes
from sandbox.proxmox.errors import bad_parameters, failed

DOWNLOAD_SIZE = 512 * 2**20
_MIME = "application/octet-stream"
_EXTENSIONS = {
    "iso": (".iso", ".img"),
    "vztmpl": (".tar.gz", ".tar.xz", ".tar.zst", ".tar.bz2", ".tar"),
    "import": (".qcow2", ".raw", ".vmdk", ".ova"),
}


def _entry(name: str) -> dict[str, Any]:
    return {
        "storage": name, "type": volumes.storage_type(name), "content": volumes.CONTENT, "shared": 0,
        "active": 1, "enabled": 1, "total": 1000 * volumes.GIB, "used": 0, "avail": 1000 * volumes.GIB,
    }  # fmt: skip


def visible(call: Call, names: Iterable[str]) -> list[str]:
    """The storages that the caller may see."""
    needed = ("Datastore.Audit", "Datastore.AllocateSpace")
    return [name for name in names if call.caller.has(f"/storage/{name}", needed, any_of=True)]


def _storages(call: Call) -> Any:
    wanted = call.values.get("storage")
    names = visible(call, volumes.storages(call.t, call.node))
    return [_entry(name) for name in names if wanted in (None, name)]


def _status(call: Call) -> Any:
    volumes.remember(call.t, call.node, call.values["storage"])
    return {key: value for key, value in _entry(call.values["storage"]).items() if key != "storage"}


def _content(call: Call) -> Any:
    volumes.remember(call.t, call.node, call.values["storage"])
    kind, vmid = call.values.get("content"), call.values.get("vmid")
    found = volumes.listing(call.t, call.node, call.values["storage"])
    return [
        {key: value for key, value in record.items() if key != "path"}
        for record in found
        if kind in (None, record["content"]) and vmid in (None, record.get("vmid"))
    ]


def _volid(call: Call) -> str:
    # The official plugin also names the volume without its storage.
    name: str = call.values["volume"]
    return name if ":" in name else f"{call.values['storage']}:{name}"


def _get_volume(call: Call) -> Any:
    if not visible(call, [call.values["storage"]]):
        raise denied(f"/storage/{call.values['storage']}, Datastore.Audit|Datastore.AllocateSpace")
    record = volumes.find(call.t, call.node, _volid(call))
    if record is None:
        raise failed(f"volume '{_volid(call)}' does not exist")
    return {"format": record["format"], "path": record["path"], "size": record["size"], "used": 0}


def _delete_volume(call: Call) -> Any:
    volid = _volid(call)
    call.caller.require(f"/storage/{call.values['storage']}", ["Datastore.Allocate"])

    def work(log: list[str]) -> None:
        volumes.remove(call.t, call.node, volid)
        log.append(f"Removed volume '{volid}'")

    # A UPID is one path segment: neither slash nor colon may be in the id.
    name = volid.rpartition("/")[2].rpartition(":")[2]
    return call.finished("imgdel", f"{name}@{call.values['storage']}", work)


def _metadata(call: Call) -> Any:
    try:
        name = unquote(urlsplit(call.values["url"]).path.rsplit("/", 1)[-1])
    except ValueError as problem:
        raise bad_parameters({"url": str(problem)}) from None
    if not name:
        raise failed(f"the URL '{call.values['url']}' names no file")
    return {"filename": name, "size": DOWNLOAD_SIZE, "mimetype": _MIME}


def _download(call: Call) -> Any:
    kind, name, url = call.values["content"], call.values["filename"], call.values["url"]
    if "/" in name or not name.endswith(_EXTENSIONS[kind]):
        endings = ", ".join(_EXTENSIONS[kind])
        raise bad_parameters({"filename": f"wrong file extension for content type {kind}: one of {endings}"})
    if not url.startswith(("http://", "https://")):
        raise bad_parameters({"url": "value does not match the regex pattern"})
    volid = f"{call.values['storage']}:{kind}/{name}"
    if volumes.find(call.t, call.node, volid) is not None:
        raise failed(f"refusing to override existing file '{name}'")
    form = name.rsplit(".", 1)[-1]

    def work(log: list[str]) -> None:
        volumes.add(call.t, call.node, volid, content=kind, size=DOWNLOAD_SIZE, form=form)
        log.append(f"downloading {url} to {volid}")
        log.append("simulated: the sandbox records the file and opens no connection")

    return call.finished("download", name.replace(":", "x3a"), work)


def _cluster_storages(call: Call) -> Any:
    return [
        {"storage": name, "type": volumes.storage_type(name), "content": volumes.CONTENT}
        for name in visible(call, volumes.BUILT_IN)
    ]


def _cluster_storage(call: Call) -> Any:
    name = call.values["storage"]
    found: dict[str, Any] = {"storage": name, "type": volumes.storage_type(name), "content": volumes.CONTENT}
    return found | ({"path": "/var/lib/vz"} if name == "local" else {})


def routes() -> Routes:
    """The calls of this module."""
    here = "/nodes/{node}/storage"
    return {
        ("GET", "/storage"): _cluster_storages,
        ("GET", "/storage/{storage}"): _cluster_storage,
        ("GET", here): _storages,
        ("GET", f"{here}/{{storage}}/status"): _status,
        ("GET", f"{here}/{{storage}}/content"): _content,
        ("GET", f"{here}/{{storage}}/content/{{volume}}"): _get_volume,
        ("DELETE", f"{here}/{{storage}}/content/{{volume}}"): _delete_volume,
        ("POST", f"{here}/{{storage}}/download-url"): _download,
        ("GET", "/nodes/{node}/query-url-metadata"): _metadata,
    }
