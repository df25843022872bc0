"""The smallest parts of an answer, in words and as plain data: ports, paths, permissions, legs."""

from collections.abc import Iterable, Sequence
from typing import Any

from lab.flows import Endpoint, Port
from lab.isolation import Answer, Path, Verdict
from lab.isolation.declared import Permission
from lab.isolation.proof import OpenPath
from lab.isolation.queries import OTHER

MARKS = {Verdict.yes: "✓", Verdict.no: "✗", Verdict.unknown: "?"}
"""In front of each leg: it lets through, it closes, nobody can tell."""
_FEW = 4
"""How many endpoints a cell of a table names before it counts the rest."""


def port_text(port: Port | None) -> str:
    """A port as a query takes it, too."""
    return str(port) if port else OTHER


def ports_text(ports: Iterable[Port | None]) -> str:
    """Ports in their order, the undeclared ones last."""
    return ", ".join(map(port_text, sorted(set(ports), key=lambda port: (port is None, port or Port(1)))))


def counted(number: int, what: str) -> str:
    """`1 path`, `2 paths`."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def named(endpoints: Sequence[Endpoint], few: int = _FEW) -> str:
    """The first few of several endpoints, each once, and how many more there are."""
    once = list(dict.fromkeys(endpoints))
    more = f" and {len(once) - few} more" if len(once) > few else ""
    return ", ".join(map(str, once[:few])) + more


def permission_text(permission: Permission) -> str:
    """Why a path may be there; for a flow the reason that it was given."""
    return permission.because if permission.kind == "flow" else f"{permission.kind}: {permission.because}"


def because(path: OpenPath) -> str:
    """Why a path is as it is, in one line: what permits it, or what decides it."""
    answer, permission = path.answer, path.permission
    if permission is None or answer.verdict is Verdict.no:
        return answer.reason
    if answer.verdict is Verdict.unknown:
        return f"{permission_text(permission)}; {answer.reason}"
    return permission_text(permission)


def path_data(path: OpenPath) -> dict[str, Any]:
    """One source, target and port with its verdict, for a program."""
    answer = path.answer
    return {**ends_data(answer), "permission": permission_data(path.permission), "reason": answer.reason}


def ends_data(answer: Answer) -> dict[str, Any]:
    """Who asks for what, and the verdict."""
    return {
        "from": str(answer.source),
        "to": str(answer.target),
        "port": port_text(answer.port),
        "verdict": str(answer.verdict),
    }


def permission_data(permission: Permission | None) -> dict[str, Any] | None:
    """A permission, or null where nobody gave one."""
    if permission is None:
        return None
    flow = permission.flow
    return {
        "kind": permission.kind,
        "because": permission.because,
        "flow": str(flow) if flow else None,
        "origin": flow.origin if flow else None,
    }


def way_data(way: Path) -> dict[str, Any]:
    """A path with its legs."""
    return {
        "verdict": str(way.verdict),
        "through": [str(endpoint) for endpoint in way.through],
        "legs": [{"verdict": str(leg.verdict), "reason": leg.reason} for leg in way.legs],
    }
