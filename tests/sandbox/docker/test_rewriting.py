"""What the front socket changes for stand-ins, and how it shows them."""

import json
from typing import Any

from sandbox.docker.rewriting import is_stand_in, show_container, show_image, stand_in_container

DIGEST = "sha256:" + "cd" * 32
IMAGE: dict[str, Any] = {
    "Id": "sha256:" + "1" * 64,
    "RepoTags": [],
    "RepoDigests": [],
    "Config": {
        "Entrypoint": ["/standin"],
        "Cmd": ["serve"],
        "Labels": {"homelab.image": f"docker.io/library/postgres:16@{DIGEST}", "homelab.stand-in": "true"},
    },
}
ASKED: dict[str, Any] = {
    "Image": f"postgres:16@{DIGEST}",
    "Cmd": ["postgres", "-c", "ssl=on"],
    "User": "postgres",
    "Env": ["A=1"],
    "Healthcheck": {"Test": ["CMD-SHELL", "pg_isready"], "Interval": 5},
    "Labels": {"homelab.listens": "5432/tcp", "homelab.endpoint": "service:vault/db"},
    "HostConfig": {"ReadonlyRootfs": True, "Devices": [{"PathOnHost": "/dev/there-is-no-such-device"}]},
}


def test_the_engine_runs_the_stand_in() -> None:
    """Command, health check, ports and name are the stand-in's; the rest is what was asked for."""
    sent = stand_in_container(ASKED, IMAGE)
    assert (sent["Entrypoint"], sent["Cmd"], sent["Image"]) == (["/standin"], ["serve"], IMAGE["Id"])
    assert sent["Env"] == ["A=1", "HOMELAB_LISTENS=5432/tcp", "HOMELAB_NAME=service:vault/db"]
    assert sent["Healthcheck"] == {"Test": ["CMD", "/standin", "health"], "Interval": 5}
    assert sent["Labels"]["homelab.stand-in"] == "true"
    assert sent["HostConfig"] == {"ReadonlyRootfs": True, "Devices": []}


def test_the_command_is_that_of_the_stand_ins_image() -> None:
    """What a stand-in does is said by its image, whatever the client's own command is."""
    image = {**IMAGE, "Config": {**IMAGE["Config"], "Cmd": ["filter", "cetusguard"]}}
    assert stand_in_container(ASKED, image)["Cmd"] == ["filter", "cetusguard"]


def test_a_user_by_number_is_kept_and_one_by_name_becomes_nobody() -> None:
    """The image has no accounts of the real one, so only a number can be kept."""
    assert stand_in_container(ASKED, IMAGE)["User"] == "65534:65534"
    assert stand_in_container({**ASKED, "User": "1000:1000"}, IMAGE)["User"] == "1000:1000"


def test_a_container_without_health_check_gets_none() -> None:
    """A health check that was not asked for, or was switched off, is not invented."""
    off = {**ASKED, "Healthcheck": {"Test": ["NONE"]}}
    assert stand_in_container(off, IMAGE)["Healthcheck"] == {"Test": ["NONE"]}
    assert "Healthcheck" not in stand_in_container({"Image": "x"}, IMAGE)


def test_inspect_shows_what_was_asked_for() -> None:
    """A client that compares the container with its request sees no difference, and not the label."""
    sent = stand_in_container(ASKED, IMAGE)
    shown = show_container({"Id": "c", "Config": sent}, IMAGE)["Config"]
    assert {name: shown[name] for name in ("Cmd", "User", "Env", "Healthcheck")} == {
        name: ASKED[name] for name in ("Cmd", "User", "Env", "Healthcheck")
    }
    assert shown["Entrypoint"] == ["/standin"]
    assert "homelab.asked" not in shown["Labels"]
    assert "HOMELAB" not in json.dumps(shown)


def test_inspect_of_another_container_is_unchanged() -> None:
    """A container that is no stand-in passes as it is."""
    container = {"Id": "c", "Config": {"Labels": {"a": "b"}, "Cmd": ["x"]}}
    assert show_container(container, None) is container


def test_an_image_shows_the_digest_that_was_asked_for() -> None:
    """The digest of the reference appears as Docker shows one of a pulled image, in inspect and in lists."""
    summary = {"Id": "i", "Labels": IMAGE["Config"]["Labels"], "RepoTags": ["<none>:<none>"]}
    assert show_image(IMAGE)["RepoDigests"] == [f"postgres@{DIGEST}"]
    assert show_image(summary)["RepoTags"] == []
    assert is_stand_in(IMAGE)
    assert not is_stand_in({"Config": {"Labels": None}})
