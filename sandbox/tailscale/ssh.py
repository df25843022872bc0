"""The section `ssh` of a policy: actions, users, check periods, accepted environment."""

import re
from typing import Any

from sandbox.tailscale.errors import PolicyError
from sandbox.tailscale.rules import check_fields, strings
from sandbox.tailscale.selectors import Definitions, quoted

_FIELDS = (
    "action",
    "src",
    "dst",
    "users",
    "checkPeriod",
    "acceptEnv",
    "recorder",
    "enforceRecorder",
    "srcPosture",
)
_PART = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)")
_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_LONGEST_PERIOD = 168 * 3600.0


def _duration(text: str) -> float:
    """Seconds of a duration such as `12h` or `-1m`."""
    body = text.removeprefix("-").removeprefix("+")
    if not body or _PART.sub("", body):
        raise PolicyError(f"time: invalid duration {quoted(text)}")
    seconds = sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(body))
    return -seconds if text.startswith("-") else seconds


def _written(seconds: float) -> str:
    """Seconds as Go prints a duration, such as `200h0m0s`."""
    whole = int(abs(seconds))
    hours, minutes, rest = whole // 3600, whole % 3600 // 60, whole % 60
    text = f"{hours}h{minutes}m{rest}s" if hours else f"{minutes}m{rest}s" if minutes else f"{rest}s"
    return f"-{text}" if seconds < 0 else text


def _check_period(period: str) -> None:
    if period == "always":
        return
    seconds = _duration(period)
    if seconds <= 0:
        raise PolicyError(f"checkPeriod {_written(seconds)} must be a positive duration")
    if seconds > _LONGEST_PERIOD:
        raise PolicyError(f"checkPeriod {_written(seconds)} is above the max (168h)")


def _check_rule(given: Any, names: Definitions) -> None:
    rule = check_fields(given, _FIELDS, "ssh")
    action = rule.get("action")
    if not isinstance(action, str) or action.strip() not in ("accept", "check"):
        raise PolicyError(f"{quoted(action)} is not a valid action")
    users = strings(rule, "users")
    if not users:
        raise PolicyError("users must be specified")
    for user in users:
        if not user:
            raise PolicyError(f"user {quoted(user)} is not valid")
    if "" in strings(rule, "acceptEnv"):
        raise PolicyError("acceptEnv values cannot be empty")
    if rule.get("checkPeriod"):
        _check_period(str(rule["checkPeriod"]))
    for field in ("src", "dst"):
        for selector in strings(rule, field):
            names.check(selector)


def check_ssh(policy: dict[str, Any], names: Definitions) -> None:
    """Check all SSH rules.

    Raises:
        PolicyError: the first mistake.
    """
    rules = policy.get("ssh") or []
    if not isinstance(rules, list):
        raise PolicyError("ssh must be a list")
    for rule in rules:
        _check_rule(rule, names)
