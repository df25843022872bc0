"""What a record of each type may contain, beyond the shape of the request.

Owns addresses, host names, quoting of TXT, and the text form of records that are given as `data` (CAA,
SRV, ...). Types of which a home lab has no use are accepted when their `data` has the declared fields.
"""

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Any

from sandbox.cloudflare.names import is_name

Problem = tuple[int, str]
PROXIABLE = ("A", "AAAA", "CNAME")
WITH_DATA = (
    "CAA", "CERT", "DNSKEY", "DS", "HTTPS", "LOC", "NAPTR", "SMIMEA", "SRV", "SSHFP", "SVCB", "TLSA", "URI",
)  # fmt: skip
_CAA_TAGS = ("issue", "issuewild", "iodef")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_LONGEST_TXT = 2048
_LONGEST_STRING = 255


def _host(content: str, code: int, kind: str) -> list[Problem]:
    name = content.lower().removesuffix(".")
    if is_name(name, wildcard=False) and not re.fullmatch(r"[\d.]+", name):
        return []
    return [(code, f"Content for {kind} record is invalid: it must be a host name.")]


def txt_strings(content: str) -> list[str] | None:
    """The character strings of a TXT record's content, or None when its quoting is broken.

    Unquoted content is one string; the API cuts it into pieces of 255 bytes by itself.
    """
    text = content.strip()
    if not text.startswith('"'):
        return None if '"' in re.sub(r"\\.", "", text) else [text]
    if _QUOTED.sub("", text).strip():
        return None
    return [re.sub(r"\\(.)", r"\1", quoted[1:-1]) for quoted in _QUOTED.findall(text)]


def _txt(content: str) -> list[Problem]:
    strings = txt_strings(content)
    if strings is None:
        return [
            (9210, "Content for TXT record must be quoted correctly: every quotation mark needs its pair.")
        ]
    size = sum(len(text.encode()) for text in strings)
    if not content.strip() or size > _LONGEST_TXT:
        return [(9210, f"Content for TXT record must have 1 to {_LONGEST_TXT} bytes.")]
    if content.strip().startswith('"') and any(len(text.encode()) > _LONGEST_STRING for text in strings):
        return [(9210, f"Content for TXT record: a quoted string has more than {_LONGEST_STRING} bytes.")]
    return []


def content_problems(kind: str, content: str) -> list[Problem]:
    """What is wrong with the content of a record that is not given as `data`."""
    if kind == "A":
        try:
            IPv4Address(content)
        except AddressValueError:
            return [(9005, "Content for A record must be a valid IPv4 address.")]
    elif kind == "AAAA":
        try:
            IPv6Address(content)
        except AddressValueError:
            return [(9006, "Content for AAAA record must be a valid IPv6 address.")]
    elif kind in ("CNAME", "NS", "MX", "PTR"):
        return _host(content, {"CNAME": 9007, "NS": 9008, "MX": 9009}.get(kind, 9010), kind)
    elif kind == "TXT":
        return _txt(content)
    elif not content:
        return [(9100, "content is a required field.")]
    return []


def _number(data: dict[str, Any], field: str, largest: int) -> bool:
    try:
        value = float(data.get(field, ""))
    except (TypeError, ValueError):
        return False
    return value.is_integer() and 0 <= value <= largest


def data_problems(kind: str, data: dict[str, Any] | None) -> list[Problem]:
    """What is wrong with the `data` of a record."""
    if not data:
        return [(9101, "data is a required field.")]
    problems: list[Problem] = []
    if kind == "CAA":
        if not _number(data, "flags", 255):
            problems.append((9102, "data.flags is a required field: a number from 0 to 255."))
        if data.get("tag") not in _CAA_TAGS:
            problems.append((9102, f"data.tag must be one of {', '.join(_CAA_TAGS)}."))
        if not data.get("value"):
            problems.append((9102, "data.value is a required field."))
    elif kind == "SRV":
        for field in ("priority", "weight", "port"):
            if not _number(data, field, 65535):
                problems.append((9102, f"data.{field} is a required field: a number from 0 to 65535."))
        if not is_name(str(data.get("target", "")).lower().removesuffix(".") or "!", wildcard=False):
            problems.append((9102, "data.target must be a host name."))
    return problems


def data_content(kind: str, data: dict[str, Any]) -> str:
    """The `content` that the API shows for a record given as `data`."""

    def plain(value: Any) -> str:
        return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)

    if kind == "CAA":
        return f'{plain(data["flags"])} {data["tag"]} "{data["value"]}"'
    if kind == "SRV":
        return f"{plain(data['weight'])} {plain(data['port'])} {data['target']}"
    return " ".join(plain(value) for value in data.values())
