"""The ledger: everything that was given out and must stay put, committed beside the lab file.

One record is a kind, a key and a value (`networks`, `docker-1/vnet-media`,
`10.128.0.0/28`). A record never moves and is never reused while it stands, even when
its owner is gone from the lab file: dropping it is a decision of its own. The file is
written in one form only, so that two branches that add different things merge.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from lab.addresses import address_number
from lab.errors import Issue, LedgerError
from lab.names import did_you_mean

VERSION = 1
KINDS = ("networks", "addresses", "edge-slots", "guest-ids", "guest-addresses", "macs", "published-ports")
_NUMBERS = ("edge-slots", "guest-ids", "published-ports")
_PLAIN_KEY = re.compile(r"^((?!(null|true|false)$)[a-z][a-z0-9-]*|[a-z0-9-]+/[a-z0-9/-]+)$")
_MAC = re.compile(r"^([0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}$")
_HEADER = """\
# What was given out in this lab and stays put. Written by `lab ledger --write`; commit it.
# To free one record: `lab ledger --drop KIND/KEY`.
"""

Value = str | int


@dataclass(frozen=True)
class Ledger:
    """The records of one environment."""

    records: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)

    def numbers(self, kind: str) -> dict[str, int]:
        """The records of a kind whose values are numbers."""
        return {key: int(value) for key, value in self.records.get(kind, {}).items()}

    def texts(self, kind: str) -> dict[str, str]:
        """The records of a kind whose values are text."""
        return {key: str(value) for key, value in self.records.get(kind, {}).items()}

    def networks(self) -> dict[str, IPv4Network]:
        """The recorded networks."""
        split = {key: value.partition("/") for key, value in self.texts("networks").items()}
        return {key: IPv4Network((address_number(a), int(prefix))) for key, (a, _, prefix) in split.items()}

    def with_records(self, added: Mapping[str, Mapping[str, Value]]) -> "Ledger":
        """This ledger and the given records."""
        kinds = [kind for kind in KINDS if kind in self.records or kind in added]
        return Ledger({kind: {**self.records.get(kind, {}), **added.get(kind, {})} for kind in kinds})

    def without(self, names: Iterable[str]) -> "Ledger":
        """This ledger less some records, each named `kind/key`.

        Raises:
            LedgerError: there is no such record.
        """
        known = self.names()
        gone = set(names)
        if unknown := sorted(gone - set(known)):
            raise LedgerError(
                Issue(path=name, problem="there is no such record", repair=did_you_mean(name, known))
                for name in unknown
            )
        kept = {
            kind: {key: value for key, value in records.items() if f"{kind}/{key}" not in gone}
            for kind, records in self.records.items()
        }
        return Ledger(kept)

    def names(self) -> list[str]:
        """Every record as `kind/key`, sorted."""
        return sorted(f"{kind}/{key}" for kind, records in self.records.items() for key in records)

    def text(self) -> str:
        """The ledger as its file holds it: kinds in their order, keys sorted."""
        lines = [_HEADER + f"version: {VERSION}"]
        for kind in KINDS:
            if records := self.records.get(kind):
                lines.append(f"{kind}:")
                lines += [f"  {_key(key)}: {_written(value)}" for key, value in sorted(records.items())]
        return "\n".join(lines) + "\n"


def _key(name: str) -> str:
    # A guest may be called `null` or `100`, which YAML does not read as text.
    return name if _PLAIN_KEY.match(name) else f'"{name}"'


def _written(value: Value) -> str:
    # A MAC address unquoted is a base-60 number to some YAML readers.
    return f'"{value}"' if isinstance(value, str) and ":" in value else str(value)


def ledger_path(lab_file: Path) -> Path:
    """Where the ledger of a lab file lies: `ledger.dev.yaml` beside `Pulumi.dev.yaml`."""
    parts = lab_file.name.split(".")
    name = parts[1] if len(parts) == 3 and parts[0] == "Pulumi" else lab_file.stem
    return lab_file.with_name(f"ledger.{name}.yaml")


def read_ledger(path: Path) -> Ledger:
    """Read a ledger; one that does not exist is empty.

    Raises:
        LedgerError: the file is not a ledger, or is an unfinished merge.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Ledger()
    if marks := [n for n, line in enumerate(text.splitlines(), 1) if line.startswith(("<<<<<<<", ">>>>>>>"))]:
        raise LedgerError(
            [
                Issue(
                    path=f"{path.name} line {marks[0]}",
                    problem="an unfinished merge: two branches gave the same thing out",
                    repair="keep the lines of both sides and remove the marks; where both gave out one thing, "
                    "`lab check` then names the record to drop",
                )
            ]
        )
    try:
        data = YAML(typ="safe", pure=True).load(text) or {}
    except YAMLError as error:
        problem = getattr(error, "problem", None) or error
        raise LedgerError(
            [Issue(path=path.name, problem=f"it is not YAML: {problem}", repair="restore it from git")]
        ) from None
    return _checked(data, path)


def write_ledger(path: Path, ledger: Ledger) -> None:
    """Write a ledger whole or not at all: a rename cannot be interrupted."""
    new = path.with_suffix(".new")
    new.write_text(ledger.text(), encoding="utf-8")
    new.replace(path)


def _checked(data: Any, path: Path) -> Ledger:
    issues: list[Issue] = []

    def refuse(where: str, problem: str, repair: str) -> None:
        issues.append(Issue(path=f"{path.name}: {where}", problem=problem, repair=repair))

    if not isinstance(data, dict) or data.get("version") != VERSION:
        refuse("version", f"it is not a ledger of version {VERSION}", "restore it from git")
        raise LedgerError(issues)
    records = {kind: part for kind, part in data.items() if kind != "version" and part is not None}
    for kind, part in records.items():
        if kind not in KINDS:
            refuse(str(kind), "it is not a kind of record", did_you_mean(str(kind), KINDS))
            continue
        if not isinstance(part, dict):
            refuse(kind, "its records are not a mapping (key: value)", "restore it from git")
            continue
        for key, value in part.items():
            if not _is_value(kind, value):
                refuse(
                    f"{kind}/{key}",
                    f'"{value}" is not a value of its kind',
                    "remove the line, and run `lab ledger --write`",
                )
    if issues:
        raise LedgerError(issues)
    return Ledger(records)


def _is_value(kind: str, value: Any) -> bool:
    if kind in _NUMBERS:
        return isinstance(value, int) and not isinstance(value, bool)
    try:
        if kind == "networks":
            IPv4Network(value)
        elif kind in ("addresses", "guest-addresses"):
            IPv4Address(value)
        elif kind == "macs":
            return isinstance(value, str) and _MAC.match(value) is not None
    except ValueError:
        return False
    return isinstance(value, str)
