"""Local images: archives that `docker load` takes."""

import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from sandbox.docker.images import ImageMaker, recipe_for
from sandbox.docker.references import parse_reference
from sandbox.errors import SandboxError

DIGEST = "sha256:" + "ab" * 32


def _made(
    tmp_path: Path, text: str, authorities: Path | None = None
) -> tuple[dict[str, Any], dict[str, Any], list[bytes]]:
    binaries = tmp_path / "bin"
    binaries.mkdir(exist_ok=True)
    for name in ("standin", "traefik"):
        (binaries / name).write_bytes(name.encode() * 100)
    (binaries / "busybox").write_text("#!/bin/sh\n[ \"$1\" = --list ] && printf 'busybox\\ncat\\nsh\\n'\n")
    (binaries / "busybox").chmod(0o755)
    reference = parse_reference(text)
    assert reference is not None
    path = ImageMaker(lambda name: binaries / name, tmp_path / "cache", authorities).archive(reference)
    with tarfile.open(path) as archive:
        content = {m.name: archive.extractfile(m) for m in archive.getmembers()}
        read = {name: stream.read() for name, stream in content.items() if stream}
    manifest = json.loads(read["manifest.json"])[0]
    config = json.loads(read[manifest["Config"]])
    assert manifest["Config"] == hashlib.sha256(read[manifest["Config"]]).hexdigest() + ".json"
    return manifest, config, [read[name] for name in manifest["Layers"]]


def test_layers_have_the_digests_that_the_configuration_names(tmp_path: Path) -> None:
    """An engine that checks the layers of the archive finds them whole."""
    _, config, layers = _made(tmp_path, f"postgres:16@{DIGEST}")
    digests = [f"sha256:{hashlib.sha256(layer).hexdigest()}" for layer in layers]
    assert config["rootfs"]["diff_ids"] == digests


def test_each_reference_has_an_image_of_its_own(tmp_path: Path) -> None:
    """The image id differs per reference and is the same at every making."""
    one = _made(tmp_path, f"postgres:16@{DIGEST}")[0]["Config"]
    again = _made(tmp_path, f"postgres:16@{DIGEST}")[0]["Config"]
    other = _made(tmp_path, "postgres:16")[0]["Config"]
    assert one == again
    assert one != other


def test_traefik_trusts_the_authorities_of_this_machine(tmp_path: Path) -> None:
    """Its image has them where Go's programs look, readable by anybody; no other image has."""
    authorities = tmp_path / "ca.pem"
    authorities.write_text("the certificates")
    with tarfile.open(fileobj=io.BytesIO(_made(tmp_path, "traefik:v3", authorities)[2][0])) as layer:
        member = layer.getmember("etc/ssl/certs/ca-certificates.crt")
        stream = layer.extractfile(member)
        assert stream is not None
        assert (stream.read(), member.mode) == (b"the certificates", 0o644)
    other = _made(tmp_path, "postgres:16", authorities)
    assert other[1]["rootfs"] == _made(tmp_path, "postgres:16")[1]["rootfs"]


def test_a_stand_in_says_that_it_is_one(tmp_path: Path) -> None:
    """The label tells a stand-in from a real program."""
    stand_in = _made(tmp_path, "postgres:16")[1]["config"]["Labels"]
    real = _made(tmp_path, "traefik:v3.7.9")[1]["config"]["Labels"]
    assert stand_in == {"homelab.image": "docker.io/library/postgres:16", "homelab.stand-in": "true"}
    assert real == {"homelab.image": "docker.io/library/traefik:v3.7.9"}


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("postgres:16", ["serve"]),
        ("docker.io/hectorm/cetusguard:v1.1.2", ["filter", "cetusguard"]),
        ("ghcr.io/wollomatic/socket-proxy:1", ["filter", "socket-proxy"]),
        ("ghcr.io/amir20/dozzle:v8", ["dashboard"]),
    ],
)
def test_a_stand_in_does_what_its_image_is_for(tmp_path: Path, name: str, command: list[str]) -> None:
    """A proxy of the Docker API filters, a dashboard shows, whichever registry it is from; all others answer."""
    config = _made(tmp_path, name)[1]["config"]
    assert (config["Entrypoint"], config["Cmd"]) == (["/standin"], command)
    assert config["Labels"]["homelab.stand-in"] == "true"


def test_traefik_is_the_real_program_in_the_official_place(tmp_path: Path) -> None:
    """Entry point and command are the official image's, and the binary lies where they expect it."""
    _, config, layers = _made(tmp_path, "traefik:v3.7.9")
    assert (config["config"]["Entrypoint"], config["config"]["Cmd"]) == (["/entrypoint.sh"], ["traefik"])
    assert b"usr/local/bin/traefik" in b"".join(layer[:2048] for layer in layers)


def test_busybox_is_the_real_program_under_all_its_names(tmp_path: Path) -> None:
    """Each applet is a link to it in /bin, and it runs a shell, as the official image does."""
    _, config, layers = _made(tmp_path, "busybox:1.37.0")
    assert config["config"]["Cmd"] == ["sh"]
    assert "Entrypoint" not in config["config"]
    assert "homelab.stand-in" not in config["config"]["Labels"]
    with tarfile.open(fileobj=io.BytesIO(layers[1])) as layer:
        links = {member.name: member.linkname for member in layer.getmembers() if member.issym()}
        program = layer.getmember("bin/busybox")
    assert links == {"bin/cat": "busybox", "bin/sh": "busybox"}
    assert (program.isfile(), program.mode) == (True, 0o755)


def test_a_binary_that_does_not_tell_its_names_is_the_makers_sentence(tmp_path: Path) -> None:
    """Without applets the image would be one that cannot run a shell."""
    (tmp_path / "busybox").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "busybox").chmod(0o755)
    reference = parse_reference("busybox")
    assert reference is not None
    with pytest.raises(SandboxError, match="busybox does not tell its applets"):
        ImageMaker(lambda name: tmp_path / name, tmp_path / "cache").archive(reference)


def test_only_the_library_image_is_traefik(tmp_path: Path) -> None:
    """Somebody else's image that is also named traefik is a stand-in."""
    reference = parse_reference("ghcr.io/somebody/traefik:1")
    assert reference is not None
    assert recipe_for(reference).stand_in


def test_a_missing_binary_is_the_finders_sentence(tmp_path: Path) -> None:
    """No archive is left when a binary is missing."""

    def find(name: str) -> Path:
        raise SandboxError(f"{name} is not there yet")

    reference = parse_reference("nginx")
    assert reference is not None
    with pytest.raises(SandboxError, match="standin is not there yet"):
        ImageMaker(find, tmp_path).archive(reference)
    assert not list(tmp_path.glob("**/*.tar"))
