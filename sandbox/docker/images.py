"""Images made on this machine for references that no registry serves.

A stand-in image holds one static program that listens and answers with its name. `traefik` is the real
program, built by the toolchain; `busybox` is Debian's. Each reference gets an image of its own, told apart by
the label `homelab.image`, so that an image id still identifies its reference. No local image can have the
digest that was asked for: the front socket says so in the label and answers with the asked digest, as Docker
would.
"""

import hashlib
import io
import json
import os
import platform
import subprocess
import tarfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.checkout import write_atomically
from sandbox.docker.references import ImageReference
from sandbox.errors import SandboxError

REFERENCE_LABEL = "homelab.image"
STAND_IN_LABEL = "homelab.stand-in"
STAND_IN_PATH = "/standin"
NOBODY = "65534:65534"
SEARCH_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# A fixed time keeps the image id of a reference the same on every machine with the same binaries.
CREATED = "2020-01-01T00:00:00Z"
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
ACCOUNTS = {
    "etc/passwd": "root:x:0:0:root:/:/standin\nnobody:x:65534:65534:nobody:/:/standin\n",
    "etc/group": "root:x:0:\nnogroup:x:65534:\n",
}

AUTHORITIES_PATH = "etc/ssl/certs/ca-certificates.crt"
"""Where Go's programs look for them (crypto/x509, root_linux.go)."""

FindBinary = Callable[[str], Path]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What a local image holds.

    Attributes:
        stand_in: False where the program is the real one.
        binaries: path in the image and name of the binary.
        config: the image's own configuration, besides labels.
        applets: whether the binaries are programs of many names, told by `--list`; each gets a link beside it.
        trusts: whether it holds the certificates of the authorities that a server on the internet is trusted by.
    """

    stand_in: bool
    binaries: tuple[tuple[str, str], ...]
    applets: bool = False
    trusts: bool = False
    config: dict[str, object] = field(default_factory=dict)


def _stand_in(*command: str) -> Recipe:
    return Recipe(
        stand_in=True,
        binaries=((STAND_IN_PATH, "standin"),),
        config={"Entrypoint": [STAND_IN_PATH], "Cmd": [*command], "Env": [SEARCH_PATH]},
    )


STAND_IN = _stand_in("serve")
# Entry point, command and port are the official image's; its shell script is a command of the stand-in here.
TRAEFIK = Recipe(
    stand_in=False,
    binaries=(("/entrypoint.sh", "standin"), ("/usr/local/bin/traefik", "traefik")),
    trusts=True,
    config={
        "Entrypoint": ["/entrypoint.sh"],
        "Cmd": ["traefik"],
        "Env": [SEARCH_PATH],
        "ExposedPorts": {"80/tcp": {}},
    },
)
BUSYBOX = Recipe(
    stand_in=False,
    binaries=(("/bin/busybox", "busybox"),),
    applets=True,
    config={"Cmd": ["sh"], "Env": [SEARCH_PATH]},
)
REAL_PROGRAMS = {"library/traefik": TRAEFIK, "library/busybox": BUSYBOX}
STAND_INS = {
    "hectorm/cetusguard": _stand_in("filter", "cetusguard"),
    "wollomatic/socket-proxy": _stand_in("filter", "socket-proxy"),
    "amir20/dozzle": _stand_in("dashboard"),
}
"""Stand-ins that do what their images are for: they read the same settings as the real programs."""
NEVER_PULLED = frozenset({"tailscale/tailscale"})
"""Images whose counterpart is not real here: the tailnet's control plane speaks its HTTP API and no more."""


def recipe_for(reference: ImageReference) -> Recipe:
    """The real program where this machine has it, else the stand-in."""
    return REAL_PROGRAMS.get(reference.path) or STAND_INS.get(reference.path, STAND_IN)


class ImageMaker:
    """Makes `docker load` archives.

    Args:
        find_binary: the path of a binary; raises SandboxError with the repair when there is none.
        cache: the user's cache folder, which keeps the layers.
        authorities: a file with the authorities' certificates, in PEM form; None: there are none.
    """

    def __init__(self, find_binary: FindBinary, cache: Path, authorities: Path | None = None) -> None:
        self._find = find_binary
        self._folder = cache / "images"
        self._authorities = authorities

    def archive(self, reference: ImageReference) -> Path:
        """Write the archive of the image of this reference and return its path; the caller deletes it.

        Raises:
            SandboxError: when a binary is missing.
        """
        recipe = recipe_for(reference)
        layers = [self._layer(target, name, recipe.applets) for target, name in recipe.binaries]
        base = _tar([(name, content, 0o644) for name, content in self._files(recipe).items()])
        diffs = [f"sha256:{hashlib.sha256(base).hexdigest()}", *(digest for digest, _ in layers)]
        config = json.dumps(image_config(reference, recipe, diffs), sort_keys=True).encode()
        config_name = f"{hashlib.sha256(config).hexdigest()}.json"
        names = [f"{number}/layer.tar" for number in range(len(diffs))]
        manifest = [{"Config": config_name, "RepoTags": reference.tags or None, "Layers": names}]
        target = self._folder / f".load-{os.getpid()}-{hashlib.sha256(os.urandom(8)).hexdigest()[:8]}.tar"
        with tarfile.open(target, "w") as archive:
            _add(archive, config_name, config)
            _add(archive, names[0], base)
            for name, (_, path) in zip(names[1:], layers, strict=True):
                archive.add(path, arcname=name)
            _add(archive, "manifest.json", json.dumps(manifest).encode())
        return target

    def _files(self, recipe: Recipe) -> dict[str, bytes]:
        files = {name: text.encode() for name, text in ACCOUNTS.items()}
        if recipe.trusts and self._authorities is not None:
            files[AUTHORITIES_PATH] = self._authorities.read_bytes()
        return files

    def _layer(self, target: str, name: str, applets: bool) -> tuple[str, Path]:
        """The digest and the file of a layer that holds one binary; made once per binary and kept."""
        binary = self._find(name)
        status = binary.stat()
        identity = f"{target}|{binary}|{status.st_size}|{status.st_mtime_ns}{'|applets' if applets else ''}"
        stem = f"{name}-{hashlib.sha256(identity.encode()).hexdigest()[:16]}"
        layer, digest = self._folder / f"{stem}.tar", self._folder / f"{stem}.sha256"
        if not (layer.exists() and digest.exists()):
            self._folder.mkdir(parents=True, exist_ok=True)
            links = _applets(binary) if applets else ()
            content = _tar([(target.lstrip("/"), binary.read_bytes(), 0o755)], links)
            temporary = layer.with_name(f".{layer.name}.{os.getpid()}")
            temporary.write_bytes(content)
            temporary.replace(layer)
            write_atomically(digest, f"sha256:{hashlib.sha256(content).hexdigest()}")
        return digest.read_text(), layer


def _applets(binary: Path) -> list[str]:
    """The names under which a binary is also a program."""
    try:
        done = subprocess.run([binary, "--list"], capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise SandboxError(
            f"{binary} does not tell its applets: {error}; delete it, and start again"
        ) from None
    return sorted(set(done.stdout.split()) - {binary.name})


def image_config(reference: ImageReference, recipe: Recipe, diffs: Sequence[str]) -> dict[str, object]:
    """The configuration document of an image; its SHA-256 is the image id."""
    labels = {REFERENCE_LABEL: str(reference)}
    if recipe.stand_in:
        labels[STAND_IN_LABEL] = "true"
    machine = platform.machine()
    if machine not in ARCHITECTURES:
        raise SandboxError(f"images cannot be made for the processor {machine}; use amd64 or arm64")
    return {
        "architecture": ARCHITECTURES[machine],
        "os": "linux",
        "created": CREATED,
        "config": {**recipe.config, "Labels": labels},
        "rootfs": {"type": "layers", "diff_ids": list(diffs)},
        "history": [{"created": CREATED, "created_by": "homelab sandbox"} for _ in diffs],
    }


def _tar(files: Sequence[tuple[str, bytes, int]], links: Sequence[str] = ()) -> bytes:
    """An archive of files with their folders; `links` are more names of the first one, in its folder."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        folders = sorted(
            {str(parent) for name, _, _ in files for parent in Path(name).parents if str(parent) != "."}
        )
        for folder in [*folders, *(["tmp"] if any(name in ACCOUNTS for name, _, _ in files) else [])]:
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if folder == "tmp" else 0o755
            archive.addfile(entry)
        for name, content, mode in files:
            _add(archive, name, content, mode)
        for link in links:
            first = Path(files[0][0])
            entry = tarfile.TarInfo(str(first.with_name(link)))
            entry.type, entry.linkname = tarfile.SYMTYPE, first.name
            archive.addfile(entry)
    return buffer.getvalue()


def _add(archive: tarfile.TarFile, name: str, content: bytes, mode: int = 0o644) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), mode
    archive.addfile(entry, io.BytesIO(content))
