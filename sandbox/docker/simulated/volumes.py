"""Volumes of the simulated engine, driver `local` only.

As in the real engine an existing name is answered with the existing volume, whatever options are given,
and a volume that a container refers to cannot be deleted.
"""

import re
import secrets

from sandbox.docker.simulated.errors import EngineError
from sandbox.docker.simulated.request import Call, Reply, Route, labels_match
from sandbox.docker.simulated.state import Document, EngineState, now

_NAME = re.compile(r"^[a-zA-Z0-9][a-zA-Z0-9_.-]+$")
_OPTIONS = ("type", "o", "device", "size")


def create_volume(
    state: EngineState,
    name: str,
    *,
    driver: str = "local",
    options: dict[str, str] | None = None,
    labels: dict[str, str] | None = None,
) -> Document:
    """The volume of that name, made if it does not exist; an empty name gives an anonymous one.

    Raises:
        EngineError: name, driver or option that the local driver refuses.
    """
    name = name or secrets.token_hex(32)
    if existing := state.volumes.get(name):
        return existing
    if driver not in ("", "local"):
        raise EngineError(
            404, f'create {name}: error looking up volume plugin {driver}: plugin "{driver}" not found'
        )
    if len(name) == 1:
        raise EngineError(
            400,
            f"create {name}: volume name is too short, names should be at least two alphanumeric characters",
        )
    if not _NAME.match(name):
        raise EngineError(
            400,
            f'create {name}: "{name}" includes invalid characters for a local volume name, only '
            '"[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use '
            "absolute path",
        )
    for option in options or {}:
        if option not in _OPTIONS:
            raise EngineError(400, f'create {name}: invalid option: "{option}"')
    if options and ("type" in options or "o" in options) and "device" not in options:
        raise EngineError(400, f'create {name}: missing required option: "device"')
    volume: Document = {
        "CreatedAt": now()[:19] + "Z",
        "Driver": "local",
        "Labels": labels,
        "Mountpoint": f"/var/lib/docker/volumes/{name}/_data",
        "Name": name,
        "Options": options,
        "Scope": "local",
    }
    state.volumes.put(name, volume)
    return volume


def remove_volume(state: EngineState, name: str) -> None:
    """Forget a volume and the files in it."""
    files = state.files(f"volume:{name}")
    for path, _ in files.items():
        files.delete(path)
    state.volumes.delete(name)


def volume_users(state: EngineState, name: str) -> list[str]:
    """Ids of the containers that mount the volume, running or not."""
    return [c["Id"] for c in state.containers.all() if any(m.get("Name") == name for m in c["Mounts"])]


def _create(call: Call) -> Reply:
    body = call.document()
    volume = create_volume(
        call.state,
        body.get("Name") or "",
        driver=body.get("Driver") or "",
        options=body.get("DriverOpts") or None,
        labels=body.get("Labels") or None,
    )
    return Reply(status=201, document=volume)


def _need(call: Call) -> Document:
    name = call.match["name"]
    volume = call.state.volumes.get(name)
    if volume is None:
        raise EngineError(404, f"get {name}: no such volume")
    return volume


def _inspect(call: Call) -> Reply:
    return Reply(document=_need(call))


def _list(call: Call) -> Reply:
    filters = call.filters(("name", "label", "driver", "dangling"))
    found = []
    for volume in call.state.volumes.all():
        name = volume["Name"]
        if "name" in filters and not any(part in name for part in filters["name"]):
            continue
        if "driver" in filters and volume["Driver"] not in filters["driver"]:
            continue
        if not labels_match(volume["Labels"], filters.get("label", [])):
            continue
        if "dangling" in filters:
            wanted = filters["dangling"][0].lower() in ("true", "1")
            if wanted == bool(volume_users(call.state, name)):
                continue
        found.append(volume)
    return Reply(document={"Volumes": found, "Warnings": None})


def _delete(call: Call) -> Reply:
    name = call.match["name"]
    if call.state.volumes.get(name) is None and call.flag("force"):
        return Reply(status=204)
    _need(call)
    if users := volume_users(call.state, name):
        raise EngineError(409, f"remove {name}: volume is in use - [{', '.join(users)}]")
    remove_volume(call.state, name)
    return Reply(status=204)


def routes() -> list[Route]:
    """The routes of this subject."""
    return [
        Route(method="POST", path="/volumes/create", handler=_create),
        Route(method="GET", path="/volumes", handler=_list),
        Route(method="GET", path="/volumes/{name}", handler=_inspect),
        Route(method="DELETE", path="/volumes/{name}", handler=_delete),
    ]
