"""The Linux capabilities that a container may be given or denied, and the check of their names."""

from sandbox.docker.simulated.errors import EngineError

# Names from capabilities(7), kernel 5.9 and later.
CAPABILITIES = frozenset(
    [
        "AUDIT_CONTROL",
        "AUDIT_READ",
        "AUDIT_WRITE",
        "BLOCK_SUSPEND",
        "BPF",
        "CHECKPOINT_RESTORE",
        "CHOWN",
        "DAC_OVERRIDE",
        "DAC_READ_SEARCH",
        "FOWNER",
        "FSETID",
        "IPC_LOCK",
        "IPC_OWNER",
        "KILL",
        "LEASE",
        "LINUX_IMMUTABLE",
        "MAC_ADMIN",
        "MAC_OVERRIDE",
        "MKNOD",
        "NET_ADMIN",
        "NET_BIND_SERVICE",
        "NET_BROADCAST",
        "NET_RAW",
        "PERFMON",
        "SETFCAP",
        "SETGID",
        "SETPCAP",
        "SETUID",
        "SYS_ADMIN",
        "SYS_BOOT",
        "SYS_CHROOT",
        "SYS_MODULE",
        "SYS_NICE",
        "SYS_PACCT",
        "SYS_PTRACE",
        "SYS_RAWIO",
        "SYS_RESOURCE",
        "SYS_TIME",
        "SYS_TTY_CONFIG",
        "SYSLOG",
        "WAKE_ALARM",
    ]
)


def check_capabilities(names: list[str] | None, field: str) -> None:
    """Refuse (400) a name that is no capability; `ALL` and the short form are fine.

    Args:
        names: the names that the client sent.
        field: `CapAdd` or `CapDrop`, for the text.
    """
    for name in names or []:
        canonical = name.upper().removeprefix("CAP_")
        if canonical != "ALL" and canonical not in CAPABILITIES:
            raise EngineError(400, f'invalid {field}: unknown capability: "CAP_{canonical}"')
