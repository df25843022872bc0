"""The text of a rule, split into its parts: `IN ACCEPT -p tcp -dport 443`, `GROUP web -i net0`, `|IN …`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from lab.simulate.proxmox.options import LOG_LEVELS

Kind = Literal["in", "out", "forward", "group"]
_KINDS: Mapping[str, Kind] = {"IN": "in", "OUT": "out", "FORWARD": "forward", "GROUP": "group"}
_OPTIONS: Mapping[str, str] = {
    "dest": "dest",
    "dport": "dport",
    "i": "iface",
    "icmp-type": "icmp-type",
    "iface": "iface",
    "log": "log",
    "p": "proto",
    "proto": "proto",
    "source": "source",
    "sport": "sport",
}
_MACRO = re.compile(r"^(?P<macro>[A-Za-z][A-Za-z0-9]*)\((?P<action>[A-Za-z]+)\)$")


@dataclass(frozen=True, kw_only=True)
class RuleText:
    """A rule as it is written."""

    text: str
    kind: Kind
    action: str
    """An action, or the name of a group."""
    macro: str = ""
    options: Mapping[str, str] = field(default_factory=dict)


def is_disabled(text: str) -> bool:
    """Whether a rule has no effect, because its line begins with a bar."""
    return text.startswith("|")


def split_rule(text: str) -> RuleText:
    """Read one line of `[RULES]` or of a group.

    Raises:
        ValueError: the line is not a rule, or an option is unknown, has no value or is there twice.
    """
    words = text.split()
    kind = _KINDS.get(words[0].upper())
    if kind is None or len(words) < 2:
        raise ValueError("it is not a rule; write IN, OUT or GROUP, and then an action or a name")
    macro = _MACRO.match(words[1])
    options = _options(words[2:])
    if kind == "group" and not options.keys() <= {"iface", "log"}:
        raise ValueError("a rule that includes a group takes no option but -i and -log")
    return RuleText(
        text=" ".join(words),
        kind=kind,
        action=macro["action"] if macro else words[1],
        macro=macro["macro"] if macro else "",
        options=options,
    )


def _options(words: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for position in range(0, len(words), 2):
        word = words[position]
        name = _OPTIONS.get(re.sub("^--?", "", word)) if word.startswith("-") else None
        if name is None:
            raise ValueError(f'"{word}" is not an option of a rule; write one of {", ".join(_OPTIONS)}')
        if position + 1 == len(words):
            raise ValueError(f'"{word}" has no value')
        if name in found:
            raise ValueError(f"{name} is there twice")
        found[name] = words[position + 1]
    if not re.fullmatch(LOG_LEVELS, found.get("log", "nolog")):
        raise ValueError(f'"{found["log"]}" is not a log level; write one of {LOG_LEVELS}')
    return found
