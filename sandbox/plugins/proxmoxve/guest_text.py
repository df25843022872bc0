"""Property strings between the plugin's values and the API, for VMs and containers."""

from __future__ import annotations

from typing import Any

from sandbox.plugins.values import Value, Values

GIB = 2**30
_UNITS = {"K": 2**10, "M": 2**20, "G": GIB, "T": 2**40}


def joined(*pairs: tuple[str, Value]) -> str:
    """`a=1,b=x` of the pairs whose value is neither null nor empty; booleans become 1 and 0."""
    return ",".join(f"{key}={_shown(value)}" for key, value in pairs if value is not None and value != "")


def _shown(value: Value) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)


def parts(text: str) -> dict[str, str]:
    """The pairs of a property string; a bare first value gets the key ``""``."""
    found: dict[str, str] = {}
    for part in text.split(","):
        key, separator, value = part.partition("=")
        if separator:
            found[key] = value
        elif part:
            found[""] = part
    return found


def on(found: dict[str, str], key: str, default: bool = False) -> bool:
    """A boolean of a property string."""
    return found[key] in ("1", "on", "yes", "true") if key in found else default


def number(found: dict[str, str], key: str) -> int:
    """A whole number of a property string, 0 where it is absent."""
    return int(float(found.get(key, 0)))


def gibibytes(size: str) -> int:
    """`20G` → 20."""
    unit = _UNITS.get(size[-1:], 1)
    return int(float(size.rstrip("KMGT")) * unit) // GIB


def startup(given: Values) -> str:
    """`order=3,up=30,down=60`; delays below zero are unset."""
    named = (("order", "order"), ("up", "upDelay"), ("down", "downDelay"))
    return joined(*((key, given.get(prop)) for key, prop in named if _whole(given.get(prop)) >= 0))


def startup_state(text: str) -> Value:
    """The startup block of a configuration, or null."""
    if not text:
        return None
    found = parts(text)
    named = (("order", "order"), ("up", "upDelay"), ("down", "downDelay"))
    return {prop: int(found.get(key, found.get("", -1) if key == "order" else -1)) for key, prop in named}


def _whole(value: Value) -> int:
    return int(value) if isinstance(value, int | float) else -1


def ip_config(given: Values) -> str:
    """`gw=…,ip=…` of one interface; empty where nothing is set."""
    pairs: list[tuple[str, Value]] = []
    for family, suffix in (("ipv4", ""), ("ipv6", "6")):
        block = given.get(family)
        if isinstance(block, dict):
            pairs += [(f"gw{suffix}", block.get("gateway")), (f"ip{suffix}", block.get("address"))]
    return joined(*pairs)


def ip_config_state(found: dict[str, str]) -> Value:
    """The `ipv4` and `ipv6` blocks of one interface."""
    state: Values = {}
    for family, suffix in (("ipv4", ""), ("ipv6", "6")):
        address, gateway = found.get(f"ip{suffix}"), found.get(f"gw{suffix}")
        state[family] = {"address": address or "", "gateway": gateway or ""} if address or gateway else None
    return state


def numbered(config: dict[str, Any], prefix: str) -> list[tuple[int, str]]:
    """The values of `net0`, `net1`, … by number."""
    found = [
        (int(key[len(prefix) :]), str(value))
        for key, value in config.items()
        if key.startswith(prefix) and key[len(prefix) :].isdigit()
    ]
    return sorted(found)
