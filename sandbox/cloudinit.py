"""Reading a cloud-config file: the keys of cloud-init that the sandbox plays, and the names of the others.

Knows the form of the keys and nothing of what a file is for. What a file asks for and this reader does not
know in a key that it plays is refused, never dropped; keys that it does not play are named to the caller.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from sandbox.errors import SandboxError

_HEAD = "#cloud-config"
_FILE_KEYS = frozenset({"path", "content", "permissions", "owner"})
_MODE = re.compile(r"0?[0-7]{3}")
_PLAYED = frozenset({"packages", "write_files", "runcmd"})


@dataclass(frozen=True, kw_only=True)
class WrittenFile:
    """An entry of `write_files`; `path` is absolute and plain, `mode` such as 0o644."""

    path: str
    content: str
    mode: int


@dataclass(frozen=True, kw_only=True)
class CloudConfig:
    """What a file asks for.

    Attributes:
        packages: their names.
        files: in the file's order; of two with one path the later wins.
        commands: the words of each command of `runcmd`; one that is a line for a shell is a single word.
        not_played: the other keys of the file, in its order.
    """

    packages: tuple[str, ...]
    files: tuple[WrittenFile, ...]
    commands: tuple[tuple[str, ...], ...]
    not_played: tuple[str, ...]


def read_cloud_config(text: str, name: str) -> CloudConfig:
    """Read a file.

    Args:
        text: its content.
        name: what messages call it.

    Raises:
        SandboxError: where it is not a cloud-config that the sandbox can play, with the key and the repair.
    """
    if text.partition("\n")[0].strip() != _HEAD:
        raise SandboxError(f"{name} is no cloud-config file: its first line has to be {_HEAD}")
    try:
        document = YAML(typ="safe", pure=True).load(text)
    except YAMLError as error:
        raise SandboxError(f"{name} is not YAML: {' '.join(str(error).split())}; correct it") from None
    if not isinstance(document, dict):
        raise SandboxError(f"{name} has no keys; a cloud-config file is a mapping such as `packages: [...]`")
    return CloudConfig(
        packages=tuple(_word(name, "packages", entry) for entry in _list(name, document, "packages")),
        files=tuple(_file(name, entry) for entry in _list(name, document, "write_files")),
        commands=tuple(_command(name, entry) for entry in _list(name, document, "runcmd")),
        not_played=tuple(str(key) for key in document if key not in _PLAYED),
    )


def _list(name: str, document: Mapping[str, Any], key: str) -> list[Any]:
    value = document.get(key, [])
    if not isinstance(value, list):
        raise SandboxError(f"{name}: {key} is no list; write its entries with a leading dash")
    return value


def _word(name: str, key: str, entry: Any) -> str:
    if not isinstance(entry, str):
        raise SandboxError(f"{name}: {key} has the entry {entry!r}, which is no text; put it in quotes")
    return entry


def _file(name: str, entry: Any) -> WrittenFile:
    if not isinstance(entry, dict) or not isinstance(entry.get("path"), str):
        raise SandboxError(f"{name}: write_files has an entry without `path`; name the file that it writes")
    path: str = entry["path"]
    if unknown := sorted(map(str, set(entry) - _FILE_KEYS)):
        raise SandboxError(
            f"{name}: the sandbox does not play {', '.join(unknown)} of {path} in write_files; leave it out"
        )
    if not path.startswith("/") or any(part in ("", ".", "..") for part in path[1:].split("/")):
        raise SandboxError(f"{name}: write_files has the path {path}; write it in full, as /etc/name")
    if entry.get("owner", "root:root") not in ("root", "root:root"):
        raise SandboxError(f"{name}: {path} is to belong to {entry['owner']}; files here are root's")
    mode = entry.get("permissions", "0644")
    if not isinstance(mode, str) or not _MODE.fullmatch(mode):
        raise SandboxError(f"{name}: {path} has the permissions {mode!r}; write them in quotes, as '0644'")
    content = _word(name, f"content of {path} in write_files", entry.get("content", ""))
    return WrittenFile(path=path, content=content, mode=int(mode, 8))


def _command(name: str, entry: Any) -> tuple[str, ...]:
    if isinstance(entry, list) and entry:
        return tuple(_word(name, "a command of runcmd", word) for word in entry)
    return (_word(name, "runcmd", entry),)
