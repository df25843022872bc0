"""What runs, as a person reads it: the text of `python -m sandbox status`."""

from collections.abc import Iterator
from typing import Any


def status_text(document: dict[str, Any]) -> str:
    """One line for each thing.

    Args:
        document: what `--format json` shows.
    """
    if not document["running"]:
        return "the sandbox is stopped; start it with `python -m sandbox start`"
    return "\n".join(f"{label:<11} {text}" if label else text for label, text in _lines(document))


def _lines(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for service in document["services"]:
        yield service["name"], service["address"]
    for guest in document["guests"]:
        where = ", ".join(_nic(nic) for nic in guest["nics"]) or "no network"
        yield "guest", f"{guest['name']} ({guest['vmid']} on {guest['node']}): {guest['state']}, {where}"
    for peer in document["peers"]:
        yield "peer", f"{peer['address']} on {peer['segment']}: {peer['namespace']}"
    for forward in document["forwards"]:
        yield "forward", f"{forward['listen']} -> {forward['guest']} {forward['address']}:{forward['port']}"
    if document["simulated"]:
        yield "", f"not real: network and Docker Engines are simulated ({document['simulated']})"
    else:
        yield "authority", _authority(document["authority"])
        yield from _firewall(document["firewall"])


def _authority(authority: dict[str, str | None]) -> str:
    if authority["problem"]:
        return f"nobody signs certificates: {authority['problem']}"
    return f"Pebble answers as Let's Encrypt; its root is in {authority['roots']}"


def _nic(nic: dict[str, Any]) -> str:
    return f"{nic['address'] or 'no address'} on {nic['segment']}"


def _firewall(firewall: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The guest firewall: where it is in force, and everything of it that is not."""
    if not firewall["enforced"]:
        yield "firewall", f"not enforced: {firewall['problem']}"
    elif not firewall["enabled"]:
        yield "firewall", "off: the cluster's firewall is not enabled, so no port is filtered"
    else:
        yield "firewall", f"at {', '.join(firewall['ports']) or 'no port'}"
    for title, sentences in (
        ("rules without effect:", firewall["ignored"]),
        ("of the Proxmox firewall not enforced here:", firewall["not_enforced"]),
    ):
        if sentences:
            yield "", title
        for sentence in sentences:
            yield "", f"  - {sentence}"
