"""A firewall file as sections of lines: `[OPTIONS]`, `[RULES]`, `[ALIASES]`, `[IPSET name]`, `[GROUP name]`."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from lab.simulate.proxmox.reading import Reading

_HEADER = re.compile(r"^\[\s*(?P<kind>[A-Za-z]+)(?:\s+(?P<name>\S+))?\s*\]$")
_NAME = re.compile(r"^[A-Za-z][A-Za-z0-9_-]+$")
_NAMED = {"options": False, "rules": False, "aliases": False, "ipset": True, "group": True}


@dataclass(frozen=True)
class Line:
    """One line without its comment."""

    number: int
    """In its file, from 1."""
    text: str


@dataclass(frozen=True)
class Section:
    """The lines under one header."""

    kind: str
    name: str
    """In lower case, as Proxmox VE compares names; empty where a section has none."""
    lines: list[Line] = field(default_factory=list)


@dataclass(frozen=True)
class Document:
    """One firewall file."""

    name: str
    sections: tuple[Section, ...] = ()

    def lines(self, kind: str) -> list[Line]:
        """The lines of a section that has no name; none where the file lacks it."""
        return next((section.lines for section in self.sections if section.kind == kind), [])

    def named(self, kind: str) -> Iterator[Section]:
        """The sections of a kind that has names."""
        return (section for section in self.sections if section.kind == kind)


def read_document(name: str, text: str, kinds: frozenset[str], reading: Reading) -> Document:
    """Split a file into its sections.

    Args:
        name: the name of the file.
        text: what is in it.
        kinds: the sections that a file of this name may have.
        reading: takes the problems.
    """
    sections: list[Section] = []
    where = Section("", "")
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.partition("#")[0].strip()
        if not line:
            continue
        if line.startswith("["):
            where = _header(f"{name} line {number}", line, kinds, sections, reading)
            sections.append(where)
        elif sections:
            where.lines.append(Line(number, line))
        else:
            reading.refuse(
                f"{name} line {number}",
                f'"{line}" stands before the first section, so it belongs to nothing',
                "put it under a header such as [OPTIONS] or [RULES]",
            )
    return Document(name, tuple(section for section in sections if section.kind))


def _header(where: str, line: str, kinds: frozenset[str], known: list[Section], reading: Reading) -> Section:
    """The section that a header opens; one without a kind where the header is wrong."""
    match = _HEADER.match(line)
    kind, name = (match["kind"].lower(), (match["name"] or "").lower()) if match else ("", "")
    allowed = ", ".join(sorted(f"[{kind.upper()}{' name' if _NAMED[kind] else ''}]" for kind in kinds))
    if kind not in kinds or _NAMED[kind] != bool(_NAME.match(name)):
        reading.refuse(
            where,
            f'"{line}" is not a section that this file has',
            f"write one of {allowed}; a name begins with a letter and goes on with letters, digits, - or _",
        )
        return Section("", "")
    if any((section.kind, section.name) == (kind, name) for section in known):
        reading.refuse(
            where,
            f'"{line}" is there twice, and which of them counts is not known here',
            "put the lines of both under one header",
        )
        return Section("", "")
    return Section(kind, name)
