"""Names of DNS records: made fully qualified and lower case, checked against the zone.

Cloudflare appends the zone to every name that does not end with it, so a typing mistake silently makes
`app.other.org.example.org`. The sandbox refuses a name that plainly belongs elsewhere (it ends with a dot,
with the zone's top-level domain, or with another zone of the account) and appends to the rest.
"""

import re

from sandbox.cloudflare.errors import ApiError

_LABEL = re.compile(r"^(?:\*|[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)$")


def is_name(name: str, *, wildcard: bool = True) -> bool:
    """Whether a lower-case name without a trailing dot is one that DNS can carry.

    Args:
        name: the name.
        wildcard: whether its first label may be `*`.
    """
    labels = name.split(".")
    if len(name) > 253 or not all(_LABEL.match(label) for label in labels):
        return False
    return "*" not in labels[0 if not wildcard else 1 :]


def qualified(name: str, zone: str, zones: tuple[str, ...]) -> str:
    """The fully qualified name of a record.

    Args:
        name: as sent: `@`, relative, or fully qualified.
        zone: apex of the zone that the record is put into.
        zones: apexes of all zones of the account.

    Raises:
        ApiError: 9000 for what is no name, and for a name outside the zone.
    """
    given = name.strip().lower()
    absolute = given.endswith(".")
    given = given.removesuffix(".")
    if given in ("@", ""):
        return zone
    try:
        given = given.encode("idna").decode() if not given.isascii() else given
    except UnicodeError:
        raise ApiError(400, [(9000, f"DNS name is invalid: {name!r}")]) from None
    if not is_name(given):
        raise ApiError(400, [(9000, f"DNS name is invalid: {name!r}")])
    if given == zone or given.endswith(f".{zone}"):
        return given
    elsewhere = (zone.rpartition(".")[2], *(other for other in zones if other != zone))
    if absolute or any(given.endswith(f".{apex}") or given == apex for apex in elsewhere):
        raise ApiError(400, [(9000, f"DNS name is invalid: {name!r} is not in the zone {zone}")])
    return f"{given}.{zone}"
