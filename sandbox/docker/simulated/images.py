"""Images of the simulated engine: every reference can be pulled, nothing is downloaded.

An image is a record whose id depends only on its reference, so that a program sees the same id in every
run. Its configuration has no ports, no volumes and a command that says what it is.
"""

import json
import re

from sandbox.docker.simulated.errors import EngineError
from sandbox.docker.simulated.references import Reference, parse_reference
from sandbox.docker.simulated.request import Call, Reply, Route, labels_match
from sandbox.docker.simulated.state import Document, EngineState, digest_of, now

_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_HEX = re.compile(r"^[0-9a-f]{4,64}$")


def find_image(state: EngineState, text: str) -> Document | None:
    """The image that an id, an id prefix or a reference means, or None."""
    number = text.removeprefix("sha256:")
    if _HEX.match(number):
        exact = state.images.get(f"sha256:{number}")
        matches = [i for key, i in state.images.items() if key.startswith(f"sha256:{number}")]
        if exact or len(matches) == 1:
            return exact or matches[0]
    if text.startswith("sha256:"):
        return None
    reference = str(parse_reference(text))
    for image in state.images.all():
        if reference in image["RepoTags"] or reference in image["RepoDigests"]:
            return image
    return None


def need_image(state: EngineState, text: str) -> Document:
    """The image, or the engine's refusal (404, or 400 for something that is no reference)."""
    try:
        image = find_image(state, text)
    except EngineError as problem:
        raise EngineError(problem.status, f"no such image: {text}: {problem.message}") from None
    if image is None:
        raise EngineError(404, f"no such image: {text}: No such image: {text}")
    return image


def _new_image(reference: Reference) -> Document:
    tags = [] if reference.digest else [str(reference)]
    manifest = reference.digest or f"sha256:{digest_of('manifest', str(reference))}"
    return {
        "Id": f"sha256:{digest_of('image', str(reference))}",
        "RepoTags": tags,
        "RepoDigests": [f"{reference.name}@{manifest}"],
        "Parent": "",
        "Comment": "simulated: no content",
        "Created": now(),
        "DockerVersion": "",
        "Author": "",
        "Config": {
            "Hostname": "",
            "Domainname": "",
            "User": "",
            "Env": [_PATH],
            "Cmd": ["simulated"],
            "Entrypoint": None,
            "Volumes": None,
            "WorkingDir": "",
            "Labels": None,
            "ExposedPorts": None,
        },
        "Architecture": "amd64",
        "Os": "linux",
        "Size": 0,
        "VirtualSize": 0,
        "GraphDriver": {"Name": "simulated", "Data": None},
        "RootFS": {"Type": "layers", "Layers": []},
        "Metadata": {"LastTagTime": now()},
    }


def _create(call: Call) -> Reply:
    source, tag = call.query.get("fromImage", ""), call.query.get("tag", "")
    if call.query.get("fromSrc"):
        repository = call.query.get("repo", "")
        if not repository:
            raise EngineError(400, "the simulated engine records an imported image only with a repo")
        reference = parse_reference(f"{repository}:{tag}" if tag else repository)
    elif not source:
        raise EngineError(400, "fromImage or fromSrc is required")
    elif tag.startswith("sha256:"):
        reference = parse_reference(f"{source}@{tag}")
    else:
        reference = parse_reference(f"{source}:{tag}" if tag else source)
    known = find_image(call.state, str(reference))
    image = known or _new_image(reference)
    call.state.images.put(image["Id"], image)
    verdict = "Image is up to date" if known else "Downloaded newer image"
    lines = [
        {"status": f"Pulling from {reference.name}", "id": reference.digest or reference.tag},
        {
            "status": f"Digest: {image['RepoDigests'][0].partition('@')[2]}"
            if image["RepoDigests"]
            else "Digest: none"
        },
        {"status": f"Status: {verdict} for {reference} (simulated)"},
    ]
    return Reply(raw="".join(json.dumps(line) + "\r\n" for line in lines).encode())


def _inspect(call: Call) -> Reply:
    return Reply(document=need_image(call.state, call.match["name"]))


def _list(call: Call) -> Reply:
    filters = call.filters(("reference", "label", "dangling", "before", "since"))
    for name in ("before", "since"):
        if name in filters:
            raise EngineError(501, f"the simulated engine does not filter images by '{name}'")
    wanted = [str(parse_reference(text)) for text in filters.get("reference", []) if "*" not in text]
    summaries = []
    for image in call.state.images.all():
        labels = image["Config"]["Labels"]
        names = image["RepoTags"] + image["RepoDigests"]
        if wanted and not any(name in names for name in wanted):
            continue
        if not labels_match(labels, filters.get("label", [])):
            continue
        if "dangling" in filters and filters["dangling"][0].lower() in ("true", "1"):
            continue
        summary = {key: image[key] for key in ("Id", "RepoTags", "RepoDigests", "Size", "VirtualSize")}
        extra = {"ParentId": "", "Created": 0, "SharedSize": -1, "Containers": -1, "Labels": labels}
        summaries.append(summary | extra)
    return Reply(document=summaries)


def _users(state: EngineState, image_id: str) -> list[str]:
    return [c["Id"] for c in state.containers.all() if c["Image"] == image_id]


def _delete(call: Call) -> Reply:
    text = call.match["name"]
    image = need_image_for_deletion(call.state, text)
    names: list[str] = image["RepoTags"] + (image["RepoDigests"] if not image["RepoTags"] else [])
    by_id = image["Id"].removeprefix("sha256:").startswith(text.removeprefix("sha256:"))
    users = _users(call.state, image["Id"])
    if users and not call.flag("force"):
        short = image["Id"].removeprefix("sha256:")[:12]
        raise EngineError(
            409,
            f"conflict: unable to delete {short} (cannot be forced) - image is being used by "
            f"container {users[0][:12]}"
            if by_id
            else f'conflict: unable to remove repository reference "{text}" (must force) - container '
            f"{users[0][:12]} is using its referenced image {short}",
        )
    gone = names if by_id else [str(parse_reference(text))]
    left = [tag for tag in image["RepoTags"] if tag not in gone]
    answer = [{"Untagged": name} for name in gone]
    if left:
        call.state.images.put(image["Id"], image | {"RepoTags": left})
    else:
        call.state.images.delete(image["Id"])
        answer.append({"Deleted": image["Id"]})
    return Reply(document=answer)


def need_image_for_deletion(state: EngineState, text: str) -> Document:
    """The image to delete; the engine words a missing one differently here (404)."""
    image = find_image(state, text)
    if image is None:
        raise EngineError(404, f"No such image: {text}")
    return image


def _tag(call: Call) -> Reply:
    image = need_image_for_deletion(call.state, call.match["name"])
    repository, tag = call.query.get("repo", ""), call.query.get("tag", "")
    name = str(parse_reference(f"{repository}:{tag}" if tag else repository))
    for other in call.state.images.all():
        if name in other["RepoTags"] and other["Id"] != image["Id"]:
            kept = [entry for entry in other["RepoTags"] if entry != name]
            call.state.images.put(other["Id"], other | {"RepoTags": kept})
    if name not in image["RepoTags"]:
        call.state.images.put(image["Id"], image | {"RepoTags": [*image["RepoTags"], name]})
    return Reply(status=201)


def routes() -> list[Route]:
    """The routes of this subject."""
    return [
        Route(method="POST", path="/images/create", handler=_create),
        Route(method="GET", path="/images/json", handler=_list),
        Route(method="GET", path="/images/{name:.+}/json", handler=_inspect),
        Route(method="POST", path="/images/{name:.+}/tag", handler=_tag),
        Route(method="DELETE", path="/images/{name:.+}", handler=_delete),
    ]
