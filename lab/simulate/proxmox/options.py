"""The options of the three kinds of firewall files (names and values: Proxmox VE 9.2's API description)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from lab.simulate.proxmox.packet import Action
from lab.simulate.proxmox.reading import Reading
from lab.simulate.proxmox.sections import Document

_FLAG, _NUMBER, _TEXT = "0|1", "[0-9]+", ".*"
_POLICY, _FORWARD_POLICY = "ACCEPT|DROP|REJECT", "ACCEPT|DROP"
LOG_LEVELS = "emerg|alert|crit|err|warning|notice|info|debug|nolog"

CLUSTER: Mapping[str, str] = {
    "enable": _NUMBER,
    "ebtables": _FLAG,
    "log_ratelimit": _TEXT,
    "policy_in": _POLICY,
    "policy_out": _POLICY,
    "policy_forward": _FORWARD_POLICY,
}
HOST: Mapping[str, str] = {
    "enable": _FLAG,
    "log_level_forward": LOG_LEVELS,
    "log_level_in": LOG_LEVELS,
    "log_level_out": LOG_LEVELS,
    "log_nf_conntrack": _FLAG,
    "ndp": _FLAG,
    "nf_conntrack_allow_invalid": _FLAG,
    "nf_conntrack_helpers": _TEXT,
    "nf_conntrack_max": _NUMBER,
    "nf_conntrack_tcp_timeout_established": _NUMBER,
    "nf_conntrack_tcp_timeout_syn_recv": _NUMBER,
    "nftables": _FLAG,
    "nosmurfs": _FLAG,
    "protection_synflood": _FLAG,
    "protection_synflood_burst": _NUMBER,
    "protection_synflood_rate": _NUMBER,
    "smurf_log_level": LOG_LEVELS,
    "tcp_flags_log_level": LOG_LEVELS,
    "tcpflags": _FLAG,
}
GUEST: Mapping[str, str] = {
    "dhcp": _FLAG,
    "enable": _FLAG,
    "ipfilter": _FLAG,
    "log_level_in": LOG_LEVELS,
    "log_level_out": LOG_LEVELS,
    "macfilter": _FLAG,
    "ndp": _FLAG,
    "policy_in": _POLICY,
    "policy_out": _POLICY,
    "radv": _FLAG,
}

_LINE = re.compile(r"^(?P<name>[a-z_]+)\s*:\s*(?P<value>.*)$")
_ACTIONS: Mapping[str, Action] = {"ACCEPT": "ACCEPT", "DROP": "DROP", "REJECT": "REJECT"}


@dataclass(frozen=True)
class Options:
    """The options that a file sets."""

    values: Mapping[str, str] = field(default_factory=dict)

    def flag(self, name: str, *, default: bool) -> bool:
        """Whether an option is on."""
        return self.values[name] != "0" if name in self.values else default

    def policy(self, name: str, default: Action) -> Action:
        """What becomes of a packet that no rule takes."""
        return _ACTIONS[self.values[name]] if name in self.values else default


def read_options(document: Document, known: Mapping[str, str], reading: Reading) -> Options:
    """The options of a file, of which `known` gives the names and the patterns of their values."""
    values: dict[str, str] = {}
    for line in document.lines("options"):
        where = f"{document.name} line {line.number}"
        match = _LINE.match(line.text)
        name, value = (match["name"], match["value"].strip()) if match else ("", "")
        if name not in known:
            reading.refuse(
                where,
                f'"{line.text}" is not an option of this file, so what it changes is not known here',
                f"write one of {', '.join(sorted(known))}, as `name: value`",
            )
        elif not re.fullmatch(known[name], value):
            reading.refuse(where, f'"{value}" is not a value of {name}', f"write {known[name]}")
        elif name in values:
            reading.refuse(where, f"{name} is set twice, to {values[name]} and {value}", "remove one of them")
        else:
            values[name] = value
    return Options(values)
