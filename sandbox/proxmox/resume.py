"""After a restart of the daemon: the guests that were running run again."""

from __future__ import annotations

from sandbox.proxmox import records
from sandbox.proxmox.guests import GuestError, GuestHost
from sandbox.proxmox.power import Power
from sandbox.store import Store


def resume(store: Store, guests: GuestHost) -> tuple[str, ...]:
    """Start every guest that ran when the daemon ended; blocks until all are up.

    Returns:
        a sentence per guest that could not be started; those count as stopped from now on.
    """
    power = Power(store, guests)
    with store.transaction() as t:
        wanted = [record for record in records.every(t) if record["running"]]
    problems = []
    for record in wanted:
        try:
            power.start(int(record["vmid"]))
        except GuestError as problem:
            who = f"guest {records.name_of(record)} ({record['vmid']})"
            problems.append(f"{who} could not be started again: {problem}")
            with store.transaction() as t:
                records.save(t, record | {"running": False})
    return tuple(problems)
