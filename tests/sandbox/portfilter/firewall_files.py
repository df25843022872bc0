"""The state of the API as the files that Proxmox VE would keep it in, for the evaluator of such files."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Document = Mapping[str, Any]
_OPTIONS = ("proto", "dport", "sport", "source", "dest", "iface", "icmp-type")


def firewall_files(scopes: Mapping[str, Document], named: Mapping[str, Sequence[Document]]) -> dict[str, str]:
    """`cluster.fw`, `host.fw` and `<vmid>.fw` by their names.

    Args:
        scopes: firewalls by `cluster`, `node/<name>` and `guest/<vmid>`; there is one node.
        named: the rules of security groups by name.
    """
    found = {}
    for key, document in scopes.items():
        kind, _, name = key.partition("/")
        file = {"cluster": "cluster", "node": "host"}.get(kind, name)
        groups = named if kind == "cluster" else {}
        found[f"{file}.fw"] = "\n".join(_lines(document, groups)) + "\n"
    return found


def _lines(document: Document, named: Mapping[str, Sequence[Document]]) -> Iterator[str]:
    yield "[OPTIONS]"
    yield from (f"{name}: {value}" for name, value in document["options"].items())
    if document["aliases"]:
        yield "[ALIASES]"
        yield from (f"{alias['name']} {alias['cidr']}" for alias in document["aliases"].values())
    for name, ip_set in document["ipset"].items():
        yield f"[IPSET {name}]"
        for cidr, entry in ip_set["entries"].items():
            yield f"{'!' if entry.get('nomatch') else ''}{cidr}"
    yield "[RULES]"
    yield from map(_rule, document["rules"])
    for name, rules in named.items():
        yield f"[group {name}]"
        yield from map(_rule, rules)


def _rule(rule: Document) -> str:
    action = f"{rule['macro']}({rule['action']})" if "macro" in rule else rule["action"]
    words = [rule["type"].upper(), action]
    words += [f"-{'p' if key == 'proto' else key} {rule[key]}" for key in _OPTIONS if key in rule]
    return ("" if rule["enable"] else "|") + " ".join(words)
