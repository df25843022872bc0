"""The script with which a guest starts: mounts, the guest's own files, its rules, then the Docker Engine.

It runs in the guest's network namespace and in a mount namespace of its own. There the system's folders are
overlays: the guest's files lie over the machine's, `nft` and its libraries below them, and what is written
stays in memory. So whoever mounts the guest's `/` sees a system, and the machine never sees a change.
"""

import shlex
from dataclasses import dataclass
from pathlib import Path

from sandbox.boot import GUEST_FOLDERS, Boot
from sandbox.debian import SYSTEM_PATH
from sandbox.docker.cgroup import EngineGroup
from sandbox.docker.packages import EnginePrograms
from sandbox.docker.way_out import PORT, USER
from sandbox.guest_tools import GuestTools

GUEST_FILES = "files"
"""The folder, beside the engine's data, that holds the guest's own files."""


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


def launch_script(
    place: EnginePlace,
    programs: EnginePrograms,
    tools: GuestTools,
    boot: Boot,
    insecure_registries: tuple[str, ...] = (),
) -> str:
    """The script, run inside the guest's namespaces, that prepares the guest and becomes the daemon."""
    group = shlex.quote(str(place.group.create() / "cgroup.procs"))
    folder = shlex.quote(str(place.folder))
    return f"""set -eu
echo $$ > {group}
echo $$ > {folder}/launch.pid
echo {shlex.quote(place.guest)} > /proc/sys/kernel/hostname
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/lock /run/containerd /run/engine /run/sockets /run/tools
mount --bind {folder} /run/engine
mount --bind {shlex.quote(str(place.socket.parent))} /run/sockets
mount --bind {shlex.quote(str(tools.usr))} /run/tools
for name in {" ".join(GUEST_FOLDERS)}; do
  if [ ! -d "/$name" ]; then continue; fi
  disk="/run/disk/$name"
  lower="/run/engine/{GUEST_FILES}/$name:/$name"
  # The machine's own programs and libraries come first, so that one release is not mixed with another.
  if [ "$name" = usr ]; then lower="$lower:/run/tools"; fi
  mkdir -p "$disk/upper" "$disk/work"
  mount -t overlay -o "lowerdir=$lower,upperdir=$disk/upper,workdir=$disk/work" overlay "/$name"
done
umount /run/tools
# The daemon looks up registries' names although its proxy does that; no name server is reached from here, and
# each pull would wait for ten seconds. Containers' own name servers stay as they are.
echo "hosts: files" > /etc/nsswitch.conf
{_rules_lines(boot)}
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
exec {_dockerd(place, programs, insecure_registries)}
"""


def _dockerd(place: EnginePlace, programs: EnginePrograms, insecure_registries: tuple[str, ...]) -> str:
    return shlex.join(
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


def _rules_lines(boot: Boot) -> str:
    """Load the rules with the guest's own nft, as its init system would; what fails keeps Docker from starting."""
    nft = f"env -i PATH={SYSTEM_PATH} /usr/sbin/nft"
    return "\n".join(f"{nft} -f {shlex.quote(path)}" for path in boot.rules)


def _xtables_lines(programs: EnginePrograms) -> str:
    if programs.xtables_nft is None or programs.xtables_legacy is None:
        return "iptables --wait --list --numeric > /dev/null"
    nft, legacy = (shlex.quote(str(path)) for path in (programs.xtables_nft, programs.xtables_legacy))
    return (
        f"if {nft}/iptables --table nat --list --numeric > /dev/null 2>&1; then PATH={nft}:$PATH; "
        f"else PATH={legacy}:$PATH; fi\nexport PATH"
    )
