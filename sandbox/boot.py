"""What a guest does with its cloud-init file when it starts, as far as a namespace can do it.

A guest here has no disk that outlives it, no init system and no kernel of its own. So the file is read at
every start; its files are written, its network settings and its packet filter rules are in force before the
Docker Engine starts, and what it asks for beyond that is named, with the reason why it is not done.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from sandbox.cloudinit import CloudConfig, WrittenFile
from sandbox.errors import SandboxError

GUEST_FOLDERS = ("etc", "opt", "usr", "var/lib", "var/log")
"""Where a guest sees the machine's files below its own: what is written there never reaches the machine."""
ENGINE_OPTIONS_FILE = "/etc/docker/daemon.json"
RESOLVER_FILE = "/etc/resolv.conf"
_RULES_FOLDER = "/etc/homelab/"
_SETTINGS = re.compile(r"/etc/sysctl\.d/[^/]+\.conf")
_OWN_SETTINGS = "net/"
_OWN_PLACES = "the sandbox decides where the engine keeps its things"
_UNUSED_OPTIONS = {
    "live-restore": "the engine and its containers are stopped with their guest",
    **dict.fromkeys(("data-root", "exec-root", "pidfile", "hosts", "containerd", "group"), _OWN_PLACES),
    **dict.fromkeys(("exec-opts", "cgroup-parent"), "the sandbox decides which control group it runs in"),
    **dict.fromkeys(("log-level", "shutdown-timeout", "insecure-registries"), "the sandbox sets it itself"),
}
"""Options of the engine that are not passed on, and why; the sandbox's command line has a value of its own."""
_UNITS_OF_PACKAGES = frozenset({"docker", "containerd", "qemu-guest-agent", "nftables"})
_UNITS_OF_THE_SYSTEM = frozenset({"systemd-modules-load", "systemd-sysctl"})
_VERBS = frozenset({"daemon-reload", "enable", "start", "restart", "reload", "try-restart"})


@dataclass(frozen=True, kw_only=True)
class Boot:
    """What a start does, in this order.

    Attributes:
        files: written into the guest's file system.
        settings: network sysctls for the guest's namespace, by their path, such as `net/ipv4/ip_forward`.
        rules: the files among `files` that nft loads.
        engine_options: for the engine's `daemon.json`.
        notes: what is not done and why, a sentence each.
    """

    files: tuple[WrittenFile, ...] = ()
    settings: tuple[tuple[str, str], ...] = ()
    rules: tuple[str, ...] = ()
    engine_options: dict[str, Any]
    notes: tuple[str, ...] = ()


def plan_boot(config: CloudConfig | None) -> Boot:
    """Decide what a start does.

    Args:
        config: the guest's file; None where it has none.

    Raises:
        SandboxError: when a file cannot be written for the guest alone, or is not what its name says.
    """
    if config is None:
        return Boot(engine_options={})
    files = tuple({file.path: file for file in config.files}.values())
    for file in files:
        if not file.path.startswith(tuple(f"/{folder}/" for folder in GUEST_FOLDERS)):
            raise SandboxError(
                f"the cloud-init file writes {file.path}, and a guest of the sandbox has files of its own in "
                f"{', '.join(f'/{folder}' for folder in GUEST_FOLDERS)} only; write it there"
            )
    settings = [pair for file in files if _SETTINGS.fullmatch(file.path) for pair in read_settings(file)]
    options, unused = _engine_options(files)
    return Boot(
        files=files,
        settings=tuple((path, value) for path, value in settings if path.startswith(_OWN_SETTINGS)),
        rules=tuple(sorted(file.path for file in files if _is_rules(file))),
        engine_options=options,
        notes=(
            *_notes(config),
            *(
                f"{path} is not set: only what is below {_OWN_SETTINGS} is a guest's own"
                for path, _ in settings
                if not path.startswith(_OWN_SETTINGS)
            ),
            *(f"the engine's option {name} is not used: {_UNUSED_OPTIONS[name]}" for name in unused),
        ),
    )


def with_name_servers(boot: Boot, servers: tuple[str, ...]) -> Boot:
    """The boot with the file that names a guest's name servers; without any the machine's file is left.

    From there the engine's own resolver (127.0.0.11 in containers) has them. A file of the same path that the
    cloud-init file writes comes later, and stays.
    """
    if not servers:
        return boot
    content = "".join(f"nameserver {server}\n" for server in servers)
    return replace(boot, files=(WrittenFile(path=RESOLVER_FILE, content=content, mode=0o644), *boot.files))


def read_settings(file: WrittenFile) -> Iterator[tuple[str, str]]:
    """Path below /proc/sys and value of each line of a file of sysctl.d.

    Raises:
        SandboxError: for a line that is no assignment.
    """
    for line in file.content.splitlines():
        text = line.strip()
        if not text or text[0] in "#;":
            continue
        name, sign, value = (part.strip() for part in text.partition("="))
        name = name.removeprefix("-")
        # As sysctl.d(5) reads it: the first separator decides; after a slash, dots are part of a name.
        separator = re.search(r"[./]", name)
        path = name.replace(".", "/") if separator and separator[0] == "." else name
        if not sign or not all(path.split("/")) or ".." in path.split("/"):
            raise SandboxError(f"{file.path} has the line {text!r}; write it as net.ipv4.ip_forward = 1")
        yield path, value


def _is_rules(file: WrittenFile) -> bool:
    return file.path.startswith(_RULES_FOLDER) and file.path.endswith(".nft")


def _engine_options(files: tuple[WrittenFile, ...]) -> tuple[dict[str, Any], list[str]]:
    """The options to pass on, and the names of the others."""
    text = next((file.content for file in files if file.path == ENGINE_OPTIONS_FILE), "{}")
    try:
        found = json.loads(text)
    except ValueError as error:
        raise SandboxError(f"{ENGINE_OPTIONS_FILE} of the cloud-init file is not JSON: {error}") from None
    if not isinstance(found, dict):
        raise SandboxError(f"{ENGINE_OPTIONS_FILE} of the cloud-init file is no JSON object")
    used = {name: value for name, value in found.items() if name not in _UNUSED_OPTIONS}
    return used, [name for name in found if name in _UNUSED_OPTIONS]


def _notes(config: CloudConfig) -> Iterator[str]:
    if config.packages:
        yield f"packages are not installed, the sandbox brings its own: {', '.join(config.packages)}"
    if config.not_played:
        yield f"keys that the sandbox does not play: {', '.join(config.not_played)}"
    units = {
        match[1]
        for file in config.files
        if (match := re.fullmatch(r"/etc/systemd/system/([^/]+)\.service", file.path))
    }
    for command in config.commands:
        if not _is_understood(command, units | _UNITS_OF_PACKAGES | _UNITS_OF_THE_SYSTEM):
            yield f"not run: {' '.join(command)}"


def _is_understood(command: tuple[str, ...], units: set[str] | frozenset[str]) -> bool:
    """Whether a start has done what a command of `runcmd` is for."""
    if command == ("sysctl", "--system"):
        return True
    if command[0] != "systemctl":
        return False
    verb, *named = [word for word in command[1:] if not word.startswith("-")] or [""]
    return verb in _VERBS and all(name.removesuffix(".service") in units for name in named)
