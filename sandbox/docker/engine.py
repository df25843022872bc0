"""One real, private Docker Engine inside a guest: its own network, mounts, data, control group and socket.

The daemon joins the guest's network namespace, so its rules, bridges and forwarding live and die with the
guest. In its mount namespace /run is its own, and what it or a container writes to the system's folders is
the guest's: it never reaches the machine, and is gone when the guest stops. Only containers, images and
volumes are kept. The engine survives the process that started it: whoever comes next adopts or ends it.
"""

import contextlib
import http.client
import os
import secrets
import shlex
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from sandbox.docker.cgroup import EngineGroup
from sandbox.docker.packages import EnginePrograms
from sandbox.docker.way_out import PORT, USER
from sandbox.errors import SandboxError

READY_SECONDS = 30.0
STOP_SECONDS = 12.0
# dockerd writes a key to /etc/docker; containers mount /var/log and /var/lib/docker.
GUEST_FOLDERS = ("etc", "opt", "var/lib", "var/log")
# Plugins of containerd that Docker does not use; `opt` would write to the machine's /opt.
UNUSED_CONTAINERD_PLUGINS = (
    "io.containerd.grpc.v1.cri",
    "io.containerd.internal.v1.opt",
    "io.containerd.snapshotter.v1.aufs",
    "io.containerd.snapshotter.v1.btrfs",
    "io.containerd.snapshotter.v1.devmapper",
    "io.containerd.snapshotter.v1.zfs",
)


@dataclass(frozen=True, kw_only=True)
class EnginePlace:
    """Where an engine lives.

    Attributes:
        guest: the guest's name.
        folder: everything that it keeps.
        socket: the engine's own socket; clients use the front socket instead.
        namespace: the file of the guest's network namespace.
        group: the control group of all its processes.
        log: its log file; appended to.
    """

    guest: str
    folder: Path
    socket: Path
    namespace: Path
    group: EngineGroup
    log: Path


class Engine:
    """A Docker Engine in a guest.

    Args:
        place: where it lives.
        programs: its executables.
        insecure_registries: `host:port` of registries whose certificate is not checked; for tests only.
    """

    def __init__(
        self, place: EnginePlace, programs: EnginePrograms, insecure_registries: tuple[str, ...] = ()
    ) -> None:
        self.place = place
        self._programs = programs
        self._insecure_registries = insecure_registries
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the engine, or adopt the one that runs, and return when it answers.

        Raises:
            SandboxError: when it does not answer in time, with the end of its log.
        """
        if self.runs():
            return
        self.place.group.kill()
        if self._process is not None:
            self._process.wait()
        self._write_files()
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

    def _write_files(self) -> None:
        folder = self.place.folder
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "data").mkdir(exist_ok=True)
        disabled = ", ".join(f'"{name}"' for name in UNUSED_CONTAINERD_PLUGINS)
        (folder / "containerd.toml").write_text(
            'version = 2\nroot = "/run/engine/containerd"\nstate = "/run/containerd"\n'
            f'disabled_plugins = [{disabled}]\n[grpc]\naddress = "/run/containerd/containerd.sock"\n'
        )
        (folder / "daemon.json").write_text("{}\n")
        self._proxy_key_file.touch(mode=0o600)
        self._proxy_key_file.write_text(secrets.token_hex(16))
        script = launch_script(self.place, self._programs, self._insecure_registries)
        (folder / "launch.sh").write_text(script)


def launch_script(
    place: EnginePlace, programs: EnginePrograms, insecure_registries: tuple[str, ...] = ()
) -> str:
    """The script, run inside the guest's namespaces, that prepares the mounts and becomes the daemon."""
    group = shlex.quote(str(place.group.create() / "cgroup.procs"))
    dockerd = shlex.join(
        (
            str(programs.dockerd),
            "--config-file=/run/engine/daemon.json",
            "--data-root=/var/lib/docker",
            "--exec-root=/run/docker",
            "--pidfile=/run/docker.pid",
            "--containerd=/run/containerd/containerd.sock",
            f"--host=unix:///run/sockets/{place.socket.name}",
            "--host=unix:///run/docker.sock",
            "--group=root",
            "--exec-opt=native.cgroupdriver=cgroupfs",
            f"--cgroup-parent={place.group.name}",
            "--shutdown-timeout=5",
            "--log-level=warn",
            *(f"--insecure-registry={registry}" for registry in insecure_registries),
        )
    )
    return f"""set -eu
echo $$ > {group}
echo $$ > {shlex.quote(str(place.folder))}/launch.pid
echo {shlex.quote(place.guest)} > /proc/sys/kernel/hostname
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/lock /run/containerd /run/engine /run/sockets
mount --bind {shlex.quote(str(place.folder))} /run/engine
mount --bind {shlex.quote(str(place.socket.parent))} /run/sockets
for name in {" ".join(GUEST_FOLDERS)}; do
  if [ ! -d "/$name" ]; then continue; fi
  disk="/run/disk/$name"
  mkdir -p "$disk/upper" "$disk/work"
  mount -t overlay -o "lowerdir=/$name,upperdir=$disk/upper,workdir=$disk/work" overlay "/$name"
done
# The daemon looks up registries' names although its proxy does that; no name server is reached from here, and
# each pull would wait for ten seconds. Containers' own name servers stay as they are.
echo "hosts: files" > /etc/nsswitch.conf
mkdir -p /var/lib/docker
mount --bind /run/engine/data /var/lib/docker
# An engine that sees AppArmor would load its profile into the kernel that the whole machine shares.
if [ -d /sys/kernel/security/apparmor ]; then mount -t tmpfs -o ro tmpfs /sys/kernel/security; fi
{_xtables_lines(programs)}
containerd --config /run/engine/containerd.toml --log-level warn &
waited=0
while [ ! -S /run/containerd/containerd.sock ]; do
  sleep 0.02
  waited=$((waited + 1))
  if [ "$waited" -gt 500 ]; then echo "containerd did not start" >&2; exit 1; fi
done
# Only for the daemon, and not on a command line, which everybody can read.
HTTPS_PROXY="http://{USER}:$(cat /run/engine/proxy.key)@127.0.0.1:{PORT}"
HTTP_PROXY="$HTTPS_PROXY"
export HTTPS_PROXY HTTP_PROXY
exec {dockerd}
"""


def _xtables_lines(programs: EnginePrograms) -> str:
    if programs.xtables_nft is None or programs.xtables_legacy is None:
        return "iptables --wait --list --numeric > /dev/null"
    nft, legacy = (shlex.quote(str(path)) for path in (programs.xtables_nft, programs.xtables_legacy))
    return (
        f"if {nft}/iptables --table nat --list --numeric > /dev/null 2>&1; then PATH={nft}:$PATH; "
        f"else PATH={legacy}:$PATH; fi\nexport PATH"
    )


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
