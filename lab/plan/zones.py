"""Public zones: which one holds a name."""

from lab.plan.draft import Draft


def public_zones(draft: Draft) -> tuple[str, ...]:
    """The zones of a lab, that of its domain first."""
    dns = draft.config.dns
    return tuple(dict.fromkeys((dns.zone or draft.config.domain, *dns.zones)))


def zone_of(draft: Draft, name: str) -> str:
    """The longest zone that holds a name; refused, and empty, where none does."""
    zones = public_zones(draft)
    holding = [zone for zone in zones if name == zone or name.endswith(f".{zone}")]
    if not holding:
        draft.refuse(
            "dns.zones",
            f"{name.removeprefix('*.')} is in none of the zones ({', '.join(zones)})",
            "add the zone that holds it, or choose a name in one of them",
        )
    return max(holding, key=len, default="")
