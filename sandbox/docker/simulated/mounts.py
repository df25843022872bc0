"""Mounts of a container: checks and the `Mounts` list of its inspect document.

Named volumes that do not exist are created, as the engine does. Bind sources are recorded and not looked
at: the simulated host has no files, and the files of this machine are none of a guest's business.
"""

from sandbox.docker.simulated.errors import EngineError
from sandbox.docker.simulated.state import Document, EngineState
from sandbox.docker.simulated.volumes import create_volume

_TYPES = ("bind", "volume", "tmpfs", "npipe")


def _refuse(kind: str, reason: str) -> EngineError:
    return EngineError(400, f'invalid mount config for type "{kind}": {reason}')


def _volume(state: EngineState, name: str, target: str, *, writable: bool, options: Document) -> Document:
    driver = options.get("DriverConfig") or {}
    volume = create_volume(
        state,
        name,
        driver=driver.get("Name") or "",
        options=driver.get("Options") or None,
        labels=options.get("Labels") or None,
    )
    return {
        "Type": "volume",
        "Name": volume["Name"],
        "Source": volume["Mountpoint"],
        "Destination": target,
        "Driver": "local",
        "Mode": "z",
        "RW": writable,
        "Propagation": "",
    }


def _bind(source: str, target: str, *, writable: bool, propagation: str) -> Document:
    return {
        "Type": "bind",
        "Source": source,
        "Destination": target,
        "Mode": "",
        "RW": writable,
        "Propagation": propagation or "rprivate",
    }


def _from_mount(state: EngineState, mount: Document) -> Document:
    kind, source, target = mount.get("Type") or "", mount.get("Source") or "", mount.get("Target") or ""
    writable = not mount.get("ReadOnly")
    if kind not in _TYPES or kind == "npipe":
        raise EngineError(400, f'invalid mount config for type "{kind}": mount type unknown')
    if not target:
        raise _refuse(kind, "field Target must not be empty")
    if not target.startswith("/"):
        raise EngineError(400, f"invalid mount path: '{target}' mount path must be absolute")
    if target.rstrip("/") == "":
        raise _refuse(kind, "destination can't be '/'")
    if kind == "volume":
        options = mount.get("VolumeOptions") or {}
        return _volume(state, source, target, writable=writable, options=options)
    if kind == "tmpfs":
        if source:
            raise _refuse(kind, "field Source must not be specified")
        return {
            "Type": "tmpfs",
            "Source": "",
            "Destination": target,
            "Mode": "",
            "RW": writable,
            "Propagation": "",
        }
    if not source:
        raise _refuse(kind, "field Source must not be empty")
    if not source.startswith("/"):
        raise _refuse(kind, f"invalid mount path: '{source}' mount path must be absolute")
    propagation = (mount.get("BindOptions") or {}).get("Propagation") or ""
    return _bind(source, target, writable=writable, propagation=propagation)


def _from_bind(state: EngineState, text: str) -> Document:
    parts = text.split(":")
    if len(parts) not in (2, 3) or not all(parts[:2]):
        raise EngineError(400, f"invalid volume specification: '{text}'")
    source, target = parts[0], parts[1]
    writable = "ro" not in (parts[2].split(",") if len(parts) == 3 else [])
    if not target.startswith("/"):
        raise EngineError(
            400,
            f"invalid volume specification: '{text}': invalid mount path: '{target}' "
            "mount path must be absolute",
        )
    if source.startswith("/"):
        return _bind(source, target, writable=writable, propagation="")
    return _volume(state, source, target, writable=writable, options={})


def mount_points(state: EngineState, body: Document) -> list[Document]:
    """All mounts that a create request asks for: `Mounts`, `Binds` and anonymous `Volumes`.

    Raises:
        EngineError: 400 for a mount that the engine refuses, or two on one path.
    """
    host = body.get("HostConfig") or {}
    points = [_from_bind(state, text) for text in host.get("Binds") or []]
    points += [_from_mount(state, mount) for mount in host.get("Mounts") or []]
    targets = [point["Destination"].rstrip("/") for point in points]
    targets += [path.rstrip("/") for path in host.get("Tmpfs") or {}]
    for target in targets:
        if targets.count(target) > 1:
            raise EngineError(400, f"Duplicate mount point: {target}")
    for path in body.get("Volumes") or {}:
        if path.rstrip("/") not in targets:
            points.append(_volume(state, "", path, writable=True, options={}))
    return points


def is_anonymous(mount: Document) -> bool:
    """Whether a volume has no name of its own and goes with its container (`v=1`)."""
    name = mount.get("Name") or ""
    return mount["Type"] == "volume" and len(name) == 64 and all(c in "0123456789abcdef" for c in name)
