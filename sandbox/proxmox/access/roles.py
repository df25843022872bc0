"""The predefined roles of Proxmox VE 9 and their privileges.

Proxmox VE makes them from what each privilege is for, and so does this module: every kind of object has privileges
that only an administrator gets, that the kind's own administrator gets, that its users get and that auditors get.
Source: pve-access-control 9.1.1; tests/sandbox/proxmox/test_roles.py holds the result against the official list.
"""

from __future__ import annotations

from typing import Final

# Kind -> (only Administrator, the kind's administrator, its users too, its users and auditors), names without the kind
# where they have it.
_KINDS: Final = {
    "VM": (
        "",
        "Config.Disk Config.CPU Config.Memory Config.Network Config.HWType Config.Options Allocate Clone Migrate"
        " Replicate Snapshot Snapshot.Rollback GuestAgent.Unrestricted",
        "Config.CDROM Config.Cloudinit PowerMgmt Console Backup GuestAgent.FileRead GuestAgent.FileSystemMgmt"
        " GuestAgent.FileWrite",
        "Audit GuestAgent.Audit",
    ),
    "Sys": ("PowerMgmt Modify Incoming AccessNetwork", "Console Syslog", "", "Audit"),
    "Datastore": ("", "Allocate AllocateTemplate", "AllocateSpace", "Audit"),
    "SDN": ("", "Allocate", "Use", "Audit"),
    "User": ("", "Modify", "", ""),
    "Group": ("", "Allocate", "", ""),
    "Realm": ("Allocate", "AllocateUser", "", ""),
    "Permissions": ("Modify", "", "", ""),
    "Pool": ("", "Allocate", "", "Audit"),
    "Mapping": ("", "Modify", "Use", "Audit"),
}


def _names(kind: str, *groups: int) -> frozenset[str]:
    return frozenset(f"{kind}.{name}" for group in groups for name in _KINDS[kind][group].split())


ALL: Final = frozenset(name for kind in _KINDS for name in _names(kind, 0, 1, 2, 3))
# Whoever manages everything but the system may still not change which hardware guests get.
_NOT_OF_PVEADMIN: Final = frozenset(("Mapping.Modify",))


def _predefined() -> dict[str, frozenset[str]]:
    found = {
        "Administrator": ALL,
        "NoAccess": frozenset[str](),
        "PVEAdmin": frozenset(name for kind in _KINDS for name in _names(kind, 1, 2, 3)) - _NOT_OF_PVEADMIN,
        "PVEAuditor": frozenset(name for kind in _KINDS for name in _names(kind, 3)),
        "PVESysAdmin": _names("Sys", 1, 2, 3),
        "PVETemplateUser": frozenset(("VM.Audit", "VM.Clone")),
        "PVEUserAdmin": _names("User", 1) | _names("Group", 1) | _names("Realm", 1),
    }
    for kind in ("VM", "Datastore", "SDN", "Pool", "Mapping"):
        found |= {f"PVE{kind}Admin": _names(kind, 1, 2, 3), f"PVE{kind}User": _names(kind, 2, 3)}
    return found


PREDEFINED: Final = _predefined()
