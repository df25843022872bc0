"""Files that clients put into containers and read back (`containers/{id}/archive`).

Files under a mounted volume belong to the volume, so that one container can write what another reads;
the rest belongs to the container. What an image would contain is unknown here: only usual top-level
directories, mount targets and uploaded files exist.
"""

import base64
import io
import json
import posixpath
import tarfile

from sandbox.docker.simulated.errors import EngineError
from sandbox.docker.simulated.lookup import need_container
from sandbox.docker.simulated.request import Call, Reply, Route
from sandbox.docker.simulated.state import Document, EngineState, Records

_DIRECTORIES = frozenset(
    [
        "/",
        "/bin",
        "/dev",
        "/etc",
        "/home",
        "/lib",
        "/mnt",
        "/opt",
        "/proc",
        "/root",
        "/run",
        "/sbin",
        "/srv",
        "/sys",
        "/tmp",
        "/usr",
        "/usr/bin",
        "/usr/local",
        "/usr/local/bin",
        "/usr/share",
        "/var",
        "/var/cache",
        "/var/lib",
        "/var/log",
        "/var/run",
    ]
)
# Bit of a directory in Go's os.FileMode, which the stat header uses.
_GO_DIRECTORY = 1 << 31


def _normal(path: str) -> str:
    return posixpath.normpath("/" + path.lstrip("/"))


def _place(state: EngineState, container: Document, path: str) -> tuple[Records, str, Document | None]:
    """The records that hold a path, the key in them, and the mount it lies under."""
    for mount in sorted(container["Mounts"], key=lambda m: -len(m["Destination"])):
        target = _normal(mount["Destination"])
        if mount["Type"] == "volume" and (path == target or path.startswith(target + "/")):
            inside = "/" + path[len(target) :].lstrip("/")
            return state.files(f"volume:{mount['Name']}"), inside, mount
    return state.files(f"container:{container['Id']}"), path, None


def _files(state: EngineState, container: Document) -> dict[str, Document]:
    """All files that the container sees, by absolute path."""
    seen = dict(state.files(f"container:{container['Id']}").items())
    for mount in container["Mounts"]:
        if mount["Type"] == "volume":
            target = _normal(mount["Destination"])
            for path, entry in state.files(f"volume:{mount['Name']}").items():
                seen[_normal(f"{target}/{path}")] = entry
    return seen


def _is_directory(container: Document, files: dict[str, Document], path: str) -> bool:
    if path in files:
        return bool(files[path]["type"] == "directory")
    targets = {_normal(mount["Destination"]) for mount in container["Mounts"]}
    return path in _DIRECTORIES or path in targets or any(name.startswith(path + "/") for name in files)


def _entry(member: tarfile.TarInfo, content: bytes) -> Document:
    kind = "directory" if member.isdir() else "link" if member.issym() or member.islnk() else "file"
    return {
        "type": kind,
        "mode": member.mode & 0o7777,
        "uid": member.uid,
        "gid": member.gid,
        "mtime": int(member.mtime),
        "link": member.linkname,
        "content": base64.b64encode(content).decode(),
    }


def _put(call: Call) -> Reply:
    container = need_container(call.state, call.match["id"])
    target = _normal(_path_of(call))
    _, _, mount = _place(call.state, container, target)
    if mount is not None and not mount["RW"]:
        raise EngineError(500, "mounted volume is marked read-only")
    if mount is None and container["HostConfig"].get("ReadonlyRootfs"):
        raise EngineError(500, "container rootfs is marked read-only")
    files = _files(call.state, container)
    if not _is_directory(container, files, target):
        if target in files:
            raise EngineError(400, "extraction point is not a directory")
        raise EngineError(404, f"Could not find the file {target} in container {call.match['id']}")
    try:
        with tarfile.open(fileobj=io.BytesIO(call.body)) as archive:
            members = [(member, _content(archive, member)) for member in archive.getmembers()]
    except tarfile.TarError as problem:
        raise EngineError(400, f"Error processing tar file: {problem}") from None
    for member, content in members:
        path = _normal(f"{target}/{member.name}")
        records, key, inside = _place(call.state, container, path)
        if inside is not None and not inside["RW"]:
            raise EngineError(
                500, f"Error processing tar file(exit status 1): open {path}: read-only file system"
            )
        if path != target:
            records.put(key, _entry(member, content))
    return Reply()


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    stream = archive.extractfile(member) if member.isfile() else None
    return stream.read() if stream else b""


def _path_of(call: Call) -> str:
    path = call.query.get("path", "")
    if not path:
        raise EngineError(400, "bad parameter: 'path' cannot be empty")
    return path


def _stat_header(path: str, entry: Document | None) -> dict[str, str]:
    directory = entry is None or entry["type"] == "directory"
    mode = (entry["mode"] if entry else 0o755) | (_GO_DIRECTORY if directory else 0)
    stat = {
        "name": posixpath.basename(path) or "/",
        "size": 0 if directory or entry is None else len(base64.b64decode(entry["content"])),
        "mode": mode,
        "mtime": "1970-01-01T00:00:00Z",
        "linkTarget": entry["link"] if entry else "",
    }
    return {"X-Docker-Container-Path-Stat": base64.b64encode(json.dumps(stat).encode()).decode()}


def _find(call: Call) -> tuple[str, dict[str, Document]]:
    container = need_container(call.state, call.match["id"])
    path = _normal(_path_of(call))
    files = _files(call.state, container)
    if path not in files and not _is_directory(container, files, path):
        raise EngineError(404, f"Could not find the file {path} in container {call.match['id']}")
    return path, files


def _head(call: Call) -> Reply:
    path, files = _find(call)
    return Reply(headers=_stat_header(path, files.get(path)))


def _get(call: Call) -> Reply:
    path, files = _find(call)
    parent = posixpath.dirname(path)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name in sorted(files):
            if name != path and not name.startswith(path.rstrip("/") + "/"):
                continue
            entry = files[name]
            member = tarfile.TarInfo(posixpath.relpath(name, parent))
            content = base64.b64decode(entry["content"])
            kinds = {"directory": tarfile.DIRTYPE, "link": tarfile.SYMTYPE, "file": tarfile.REGTYPE}
            member.type, member.mode, member.linkname = kinds[entry["type"]], entry["mode"], entry["link"]
            member.uid, member.gid, member.mtime = entry["uid"], entry["gid"], entry["mtime"]
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    header = _stat_header(path, files.get(path))
    return Reply(raw=buffer.getvalue(), content_type="application/x-tar", headers=header)


def routes() -> list[Route]:
    """The routes of this subject."""
    path = "/containers/{id}/archive"
    return [
        Route(method="PUT", path=path, handler=_put),
        Route(method="GET", path=path, handler=_get),
        Route(method="HEAD", path=path, handler=_head),
    ]
