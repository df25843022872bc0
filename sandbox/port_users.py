"""Who holds a port of this machine, for the sentence that says it is taken.

Reads the kernel's tables of sockets and the open files of processes below `/proc` (proc(5)). Another user's
processes cannot be looked into, and elsewhere than on Linux there is nothing to read: then nobody is known.
"""

from pathlib import Path

PROC = Path("/proc")
_TABLES = ("tcp", "tcp6", "udp", "udp6")
# States of a socket that holds its port and has no peer (include/net/tcp_states.h).
_LISTENING, _UNCONNECTED = "0A", "07"


def port_user(port: int) -> str | None:
    """The process that holds a port, such as `process 4711, nginx`; None where it cannot be told."""
    wanted = {f"socket:[{inode}]" for inode in _inodes(port)}
    for process in PROC.glob("[0-9]*"):
        if wanted and _has_open(process, wanted):
            return f"process {process.name}, {_name(process)}"
    return None


def _inodes(port: int) -> set[str]:
    found = set()
    for table in _TABLES:
        try:
            lines = (PROC / "net" / table).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            local, state, inode = fields[1], fields[3], fields[9]
            if int(local.rpartition(":")[2], 16) == port and state in (_LISTENING, _UNCONNECTED):
                found.add(inode)
    return found


def _has_open(process: Path, wanted: set[str]) -> bool:
    try:
        return any(str(file.readlink()) in wanted for file in (process / "fd").iterdir())
    except OSError:
        # It is over, or not ours to look into.
        return False


def _name(process: Path) -> str:
    try:
        return (process / "comm").read_text().strip()
    except OSError:
        return "which has just ended"
