"""What the front socket changes in documents on their way between client and engine.

Only stand-in images and their containers are touched. The engine runs the stand-in; the client sees, when it
inspects the container, what it asked for, so that a refresh shows no difference. The asked values are kept in
one label of the container, which clients do not see.
"""

import json
import os
from collections.abc import Mapping
from typing import Any

from sandbox.docker.images import NOBODY, REFERENCE_LABEL, STAND_IN_LABEL, STAND_IN_PATH
from sandbox.docker.references import parse_reference

Document = dict[str, Any]

LISTENS_LABEL = "homelab.listens"
NAME_LABEL = "homelab.endpoint"
ASKED_LABEL = "homelab.asked"
REPLACED_FIELDS = ("Entrypoint", "Cmd", "Healthcheck", "User", "Image", "Env")


def show_image(image: Document) -> Document:
    """The document of a local image, with the tags and digests that its reference asks for."""
    labels = image.get("Labels") or (image.get("Config") or {}).get("Labels") or {}
    reference = parse_reference(labels.get(REFERENCE_LABEL, ""))
    if reference is None:
        return image
    tags = reference.tags or image.get("RepoTags") or []
    return {
        **image,
        "RepoTags": [tag for tag in tags if "<none>" not in tag],
        "RepoDigests": reference.digests,
    }


def is_local(image: Document) -> bool:
    """Whether an inspected image was made here: the engine itself does not know it by its digest."""
    return REFERENCE_LABEL in ((image.get("Config") or {}).get("Labels") or {})


def is_stand_in(image: Document) -> bool:
    """Whether an inspected image is a stand-in."""
    labels = (image.get("Config") or {}).get("Labels") or {}
    return bool(labels.get(STAND_IN_LABEL) == "true")


def stand_in_container(asked: Document, image: Document) -> Document:
    """The create request with which the engine runs the stand-in instead of what the client asked for.

    Args:
        asked: the body of `POST /containers/create`.
        image: the inspect document of the stand-in image.
    """
    labels: dict[str, str] = dict(asked.get("Labels") or {})
    kept = {name: asked.get(name) for name in REPLACED_FIELDS}
    host = dict(asked.get("HostConfig") or {})
    if host.get("Devices"):
        # A program that does not run needs no device; a missing one would keep the container from starting.
        host["Devices"] = [
            device for device in host["Devices"] if os.path.exists(device.get("PathOnHost", ""))
        ]
    changed: Document = {
        **asked,
        "Image": image["Id"],
        "Entrypoint": [STAND_IN_PATH],
        "Cmd": image["Config"]["Cmd"],
        "Env": [*(asked.get("Env") or []), *_stand_in_environment(labels)],
        "Labels": {**labels, STAND_IN_LABEL: "true", ASKED_LABEL: json.dumps(kept, sort_keys=True)},
        "HostConfig": host,
    }
    if user := asked.get("User"):
        changed["User"] = user if all(part.isdigit() for part in str(user).split(":")) else NOBODY
    check = asked.get("Healthcheck")
    if check and check.get("Test") and check["Test"][0] != "NONE":
        changed["Healthcheck"] = {**check, "Test": ["CMD", STAND_IN_PATH, "health"]}
    return changed


def show_container(container: Document, image: Document | None) -> Document:
    """The inspect document of a stand-in's container as the client asked for it.

    Args:
        container: what the engine says.
        image: the inspect document of its image; None when it is gone.
    """
    config = dict(container.get("Config") or {})
    labels = dict(config.get("Labels") or {})
    text = labels.pop(ASKED_LABEL, None)
    if text is None:
        return container
    asked: Document = json.loads(text)
    defaults: Mapping[str, Any] = (image or {}).get("Config") or {}
    config["Labels"] = labels
    config["Entrypoint"] = asked["Entrypoint"] or defaults.get("Entrypoint")
    config["Cmd"] = asked["Cmd"] or (None if asked["Entrypoint"] else defaults.get("Cmd"))
    config["User"] = asked["User"] or ""
    config["Image"] = asked["Image"] or config.get("Image")
    added = set(_stand_in_environment(labels))
    config["Env"] = [value for value in config.get("Env") or [] if value not in added]
    if asked["Healthcheck"]:
        config["Healthcheck"] = asked["Healthcheck"]
    return {**container, "Config": config}


def _stand_in_environment(labels: Mapping[str, str]) -> list[str]:
    return [f"HOMELAB_LISTENS={labels.get(LISTENS_LABEL, '')}", f"HOMELAB_NAME={labels.get(NAME_LABEL, '')}"]
