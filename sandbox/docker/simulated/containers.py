"""Containers of the simulated engine as records: create, inspect, list, rename, update, delete.

Their life (start, stop, ...) is in `lifecycle`, their files in `archive`. A container is found by id, by
unique id prefix or by name, and a name belongs to one container only.
"""

import secrets
from datetime import UTC, datetime

from sandbox.docker.simulated.creation import (
    check_name,
    check_resources,
    check_restart_policy,
    new_container,
)
from sandbox.docker.simulated.endpoints import leave_networks, rename_endpoints
from sandbox.docker.simulated.errors import EngineError
from sandbox.docker.simulated.images import find_image
from sandbox.docker.simulated.lookup import need_container
from sandbox.docker.simulated.mounts import is_anonymous
from sandbox.docker.simulated.request import Call, Reply, Route, labels_match
from sandbox.docker.simulated.state import Document, EngineState
from sandbox.docker.simulated.volumes import remove_volume, volume_users

_FILTERS = ("label", "name", "id", "status", "network", "volume", "ancestor", "health")
_UPDATABLE = (
    "BlkioWeight",
    "CpuPeriod",
    "CpuQuota",
    "CpuRealtimePeriod",
    "CpuRealtimeRuntime",
    "CpuShares",
    "CpusetCpus",
    "CpusetMems",
    "Memory",
    "MemoryReservation",
    "MemorySwap",
    "NanoCpus",
    "PidsLimit",
)


def _refuse_taken(state: EngineState, name: str, prefix: str = "") -> None:
    if holder := state.names.get(name):
        raise EngineError(
            409,
            f'{prefix}Conflict. The container name "/{name}" is already in use by container '
            f'"{holder["id"]}". You have to remove (or rename) that container to be able to reuse that name.',
        )


def _create(call: Call) -> Reply:
    body = call.document()
    name = check_name(call.query.get("name") or f"simulated_{secrets.token_hex(6)}")
    if not body.get("Image"):
        raise EngineError(400, "No command specified" if not body.get("Cmd") else "no image specified")
    image = find_image(call.state, body["Image"])
    if image is None:
        reference = (
            body["Image"] if ":" in body["Image"] or "@" in body["Image"] else f"{body['Image']}:latest"
        )
        raise EngineError(404, f"No such image: {reference}")
    _refuse_taken(call.state, name)
    container = new_container(call.state, name, body, image)
    call.state.containers.put(container["Id"], container)
    call.state.names.put(name, {"id": container["Id"]})
    return Reply(status=201, document={"Id": container["Id"], "Warnings": []})


def _inspect(call: Call) -> Reply:
    return Reply(document=need_container(call.state, call.match["id"]))


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment[:19]).replace(tzinfo=UTC).timestamp()


def _status(container: Document) -> str:
    state = container["State"]
    if state["Status"] == "created":
        return "Created"
    if not state["Running"]:
        return f"Exited ({state['ExitCode']})"
    age = max(0, int(datetime.now(UTC).timestamp() - _seconds(state["StartedAt"])))
    health = f" ({state['Health']['Status']})" if "Health" in state else ""
    return f"Up {age} seconds{' (Paused)' if state['Paused'] else health}"


def _summary(container: Document) -> Document:
    ports = []
    for specification, targets in (container["NetworkSettings"]["Ports"] or {}).items():
        number, _, protocol = specification.partition("/")
        inner = {"PrivatePort": int(number), "Type": protocol}
        ports += [{**inner, "IP": t["HostIp"], "PublicPort": int(t["HostPort"])} for t in targets or []]
        if not targets:
            ports.append(inner)
    return {
        "Id": container["Id"],
        "Names": [container["Name"]],
        "Image": container["Config"]["Image"],
        "ImageID": container["Image"],
        "Command": " ".join([container["Path"], *container["Args"]]),
        "Created": int(_seconds(container["Created"])),
        "Ports": ports,
        "Labels": container["Config"]["Labels"],
        "State": container["State"]["Status"],
        "Status": _status(container),
        "HostConfig": {"NetworkMode": container["HostConfig"]["NetworkMode"]},
        "NetworkSettings": {"Networks": container["NetworkSettings"]["Networks"]},
        "Mounts": container["Mounts"],
    }


def _selected(state: EngineState, container: Document, filters: dict[str, list[str]]) -> bool:
    def any_of(key: str, candidates: list[str]) -> bool:
        return key not in filters or any(value in candidates for value in filters[key])

    networks = container["NetworkSettings"]["Networks"]
    mounts = [mount.get("Name") or mount["Destination"] for mount in container["Mounts"]]
    images = [container["Config"]["Image"], container["Image"]]
    health = container["State"].get("Health", {}).get("Status", "none")
    return (
        labels_match(container["Config"]["Labels"], filters.get("label", []))
        and ("name" not in filters or any(p.strip("^$") in container["Name"] for p in filters["name"]))
        and ("id" not in filters or any(container["Id"].startswith(p) for p in filters["id"]))
        and any_of("status", [container["State"]["Status"]])
        and any_of("health", [health])
        and any_of("network", [*networks, *(s["NetworkID"] for s in networks.values())])
        and any_of("volume", mounts)
        and any_of("ancestor", images)
    )


def _list(call: Call) -> Reply:
    filters = call.filters(_FILTERS)
    everything = call.flag("all") or "status" in filters
    found = [
        container
        for container in call.state.containers.all()
        if (everything or container["State"]["Running"]) and _selected(call.state, container, filters)
    ]
    found.sort(key=lambda container: container["Created"], reverse=True)
    limit = call.query.get("limit", "")
    if limit.isdigit() and int(limit) > 0:
        found = found[: int(limit)]
    return Reply(document=[_summary(container) for container in found])


def remove_container(state: EngineState, container: Document, *, volumes: bool) -> None:
    """Forget a container, its files, and with `volumes` its anonymous volumes."""
    leave_networks(state, container)
    state.containers.delete(container["Id"])
    state.names.delete(container["Name"].removeprefix("/"))
    files = state.files(f"container:{container['Id']}")
    for path, _ in files.items():
        files.delete(path)
    for mount in container["Mounts"] if volumes else []:
        if is_anonymous(mount) and not volume_users(state, mount["Name"]):
            remove_volume(state, mount["Name"])


def _delete(call: Call) -> Reply:
    container = need_container(call.state, call.match["id"])
    if container["State"]["Running"] and not call.flag("force"):
        raise EngineError(
            409,
            f"You cannot remove a running container {container['Id']}. "
            "Stop the container before attempting removal or force remove",
        )
    remove_container(call.state, container, volumes=call.flag("v"))
    return Reply(status=204)


def _rename(call: Call) -> Reply:
    container = need_container(call.state, call.match["id"])
    name = check_name(call.query.get("name", ""))
    old = container["Name"].removeprefix("/")
    if name == old:
        raise EngineError(400, "Renaming a container with the same name as its current name")
    _refuse_taken(call.state, name, "Error when allocating new name: ")
    call.state.names.delete(old)
    call.state.names.put(name, {"id": container["Id"]})
    rename_endpoints(call.state, container, name)
    call.state.containers.put(container["Id"], container | {"Name": f"/{name}"})
    return Reply(status=204)


def _update(call: Call) -> Reply:
    container = need_container(call.state, call.match["id"])
    body = call.document()
    check_resources(body)
    host = container["HostConfig"]
    policy = body.get("RestartPolicy") or {}
    if policy.get("Name"):
        check_restart_policy(policy, auto_remove=False)
        if host.get("AutoRemove"):
            raise EngineError(
                400, "Restart policy cannot be updated because AutoRemove is enabled for the container"
            )
        host["RestartPolicy"] = {
            "Name": policy["Name"],
            "MaximumRetryCount": policy.get("MaximumRetryCount") or 0,
        }
    for field in _UPDATABLE:
        if body.get(field):
            host[field] = body[field]
    call.state.containers.put(container["Id"], container)
    return Reply(document={"Warnings": []})


def _logs(call: Call) -> Reply:
    need_container(call.state, call.match["id"])
    return Reply(content_type="application/vnd.docker.raw-stream")


def routes() -> list[Route]:
    """The routes of this subject."""
    return [
        Route(method="POST", path="/containers/create", handler=_create),
        Route(method="GET", path="/containers/json", handler=_list),
        Route(method="GET", path="/containers/{id}/json", handler=_inspect),
        Route(method="GET", path="/containers/{id}/logs", handler=_logs),
        Route(method="POST", path="/containers/{id}/rename", handler=_rename),
        Route(method="POST", path="/containers/{id}/update", handler=_update),
        Route(method="DELETE", path="/containers/{id}", handler=_delete),
    ]
