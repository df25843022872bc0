"""One real, private Docker Engine inside a guest: its own network, mounts, data, control group and socket.

The daemon joins the guest's network namespace, so its rules, bridges and forwarding live and die with the
guest. In its mount namespace /run is its own, and what it or a container writes to the system's folders is
the guest's: it never reaches the machine, and is gone when the guest stops. Only containers, images and
volumes are kept. The engine survives the process that started it: whoever comes next adopts or ends it.
"""

import contextlib
import http.client
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from sandbox.boot import GUEST_FOLDERS, Boot
from sandbox.docker.launch import GUEST_FILES, EnginePlace, launch_script
from sandbox.docker.packages import EnginePrograms
from sandbox.errors import SandboxError
from sandbox.guest_tools import GuestTools

READY_SECONDS = 30.0
STOP_SECONDS = 12.0
# Plugins of containerd that Docker does not use; `opt` would write to the machine's /opt.
UNUSED_CONTAINERD_PLUGINS = (
    "io.containerd.grpc.v1.cri",
    "io.containerd.internal.v1.opt",
    "io.containerd.snapshotter.v1.aufs",
    "io.containerd.snapshotter.v1.btrfs",
    "io.containerd.snapshotter.v1.devmapper",
    "io.containerd.snapshotter.v1.zfs",
)


class Engine:
    """A Docker Engine in a guest.

    Args:
        place: where it lives.
        programs: its executables.
        tools: what its guest has beside them.
        insecure_registries: `host:port` of registries whose certificate is not checked; for tests only.
    """

    def __init__(
        self,
        place: EnginePlace,
        programs: EnginePrograms,
        tools: GuestTools,
        insecure_registries: tuple[str, ...] = (),
    ) -> None:
        self.place = place
        self._programs = programs
        self._tools = tools
        self._insecure_registries = insecure_registries
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, boot: Boot) -> None:
        """Start the engine, or adopt the one that runs, and return when it answers.

        Args:
            boot: the guest's files, rules and engine options; nothing of it is done to an engine that runs.

        Raises:
            SandboxError: when it does not answer in time, with the end of its log.
        """
        if self.runs():
            return
        self.place.group.kill()
        if self._process is not None:
            self._process.wait()
        self._write_files(boot)
        position = self.place.log.stat().st_size if self.place.log.exists() else 0
        with self.place.log.open("ab") as log:
            self._process = process = subprocess.Popen(
                [
                    "nsenter", f"--net={self.place.namespace}", "unshare", "--mount", "--uts",
                    "--propagation", "private", "/bin/sh", str(self.place.folder / "launch.sh"),
                ],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self._programs.environment(),
                start_new_session=True, cwd="/",
            )  # fmt: skip
        deadline = time.monotonic() + READY_SECONDS
        while not self.answers():
            if process.poll() is not None or time.monotonic() > deadline:
                code = process.returncode
                self.place.group.kill()
                process.wait()
                raise SandboxError(self._failure(position, code))
            time.sleep(0.03)

    def stop(self) -> None:
        """Stop containers and engine, and leave no process; the containers and volumes are kept."""
        with contextlib.suppress(ProcessLookupError, ValueError, FileNotFoundError):
            os.kill(self._pid(), signal.SIGTERM)
            deadline = time.monotonic() + STOP_SECONDS
            while self.place.group.processes() and time.monotonic() < deadline and self._is_alive():
                time.sleep(0.03)
        self.place.group.kill()
        if self._process is not None:
            self._process.wait()
        self.place.group.remove()
        self.place.socket.unlink(missing_ok=True)

    def answers(self) -> bool:
        """Whether the engine's API answers."""
        return ping(self.place.socket)

    def proxy_key(self) -> str:
        """With what the running engine shows its way out (`way_out`) that it is the engine."""
        return self._proxy_key_file.read_text()

    @property
    def _proxy_key_file(self) -> Path:
        return self.place.folder / "proxy.key"

    def runs(self) -> bool:
        """Whether the engine answers, in the guest's present network namespace."""
        return self.answers() and self._in_namespace()

    def _pid(self) -> int:
        return int((self.place.folder / "launch.pid").read_text())

    def _is_alive(self) -> bool:
        try:
            return self._pid() in self.place.group.processes()
        except (OSError, ValueError):
            return False

    def _in_namespace(self) -> bool:
        """Whether the running engine is in the guest's present namespace, not in one that was removed."""
        try:
            own, wanted = os.stat(f"/proc/{self._pid()}/ns/net"), os.stat(self.place.namespace)
        except (OSError, ValueError):
            return False
        return (own.st_dev, own.st_ino) == (wanted.st_dev, wanted.st_ino)

    def _failure(self, position: int, code: int | None) -> str:
        with self.place.log.open("rb") as log:
            log.seek(position)
            lines = log.read().decode(errors="replace").strip().splitlines()
        telling = [
            line for line in lines if "level=fatal" in line or "level=error" in line or "rror:" in line
        ]
        reason = (telling or lines or ["it wrote nothing"])[-1][-400:]
        ended = f"ended with {code}" if code is not None else f"did not answer for {READY_SECONDS:.0f} s"
        return (
            f"the Docker Engine of guest {self.place.guest} {ended}: {reason}; see {self.place.log}, "
            "or run `python -m sandbox start --simulated`"
        )

    def _write_files(self, boot: Boot) -> None:
        folder = self.place.folder
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "data").mkdir(exist_ok=True)
        disabled = ", ".join(f'"{name}"' for name in UNUSED_CONTAINERD_PLUGINS)
        (folder / "containerd.toml").write_text(
            'version = 2\nroot = "/run/engine/containerd"\nstate = "/run/containerd"\n'
            f'disabled_plugins = [{disabled}]\n[grpc]\naddress = "/run/containerd/containerd.sock"\n'
        )
        (folder / "daemon.json").write_text(json.dumps(boot.engine_options) + "\n")
        self._proxy_key_file.touch(mode=0o600)
        self._proxy_key_file.write_text(secrets.token_hex(16))
        _write_guest_files(folder / GUEST_FILES, boot)
        script = launch_script(self.place, self._programs, self._tools, boot, self._insecure_registries)
        (folder / "launch.sh").write_text(script)


def _write_guest_files(folder: Path, boot: Boot) -> None:
    """Lay out the files of a guest as its launch script mounts them; those of the last start go."""
    if folder.exists():
        shutil.rmtree(folder)
    for name in GUEST_FOLDERS:
        (folder / name).mkdir(parents=True)
    for file in boot.files:
        path = folder / file.path.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.content)
        path.chmod(file.mode)


def ping(path: Path, seconds: float = 5.0) -> bool:
    """Whether a Docker API answers `GET /_ping` with 200 on a unix socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as stream:
        stream.settimeout(seconds)
        try:
            stream.connect(str(path))
            stream.sendall(b"GET /_ping HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n")
            response = http.client.HTTPResponse(stream)
            response.begin()
        except (OSError, http.client.HTTPException):
            return False
        return response.status == 200
