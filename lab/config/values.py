"""The kinds of value in a lab file, each with the text that a person may write for it.

pydantic turns the text into the value, or into a problem that says what would be
accepted. Units are written out (`8GiB`, `500m`), because a bare number would have to
be looked up to be understood.
"""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from lab.flows import Endpoint, Port, Target

_UNITS = {"MiB": 2**20, "GiB": 2**30, "TiB": 2**40, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_SIZE = re.compile(r"^(?P<count>[0-9]+)(?P<unit>MiB|GiB|TiB|MB|GB|TB)$")
_SUFFIX = re.compile(r"^\.([0-9]{1,3})$")
_DHCP = re.compile(r"^\.([0-9]{1,3})-\.([0-9]{1,3})$")
_IMAGE = re.compile(
    r"^(?P<name>[a-z0-9./_:-]+?)(:(?P<tag>[0-9A-Za-z_][0-9A-Za-z_.-]{0,127}))?(@(?P<digest>sha256:[0-9a-f]{64}))?$"
)
_PATH = re.compile(r"^/[A-Za-z0-9._~/-]*$")
"""Slashes and what has one spelling only (RFC 3986, unreserved characters)."""
_HOST_LABEL = re.compile(
    r"^(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$"
)


def _size(value: Any) -> Any:
    if isinstance(value, int):
        raise ValueError(f"{value} has no unit; write it as {value}GiB, or with MiB or TiB")
    match = _SIZE.match(str(value))
    if match is None:
        raise ValueError(f'"{value}" is not a size; write a whole number and a unit, such as 8GiB')
    return int(match["count"]) * _UNITS[match["unit"]]


def _yes_no(value: Any) -> Any:
    if value is True or value == "yes":
        return True
    if value is False or value == "no":
        return False
    raise ValueError(f'"{value}" is neither yes nor no; write yes or no')


def _network(value: Any) -> Any:
    if isinstance(value, IPv4Network):
        return value
    try:
        return IPv4Network(str(value))
    except ValueError:
        pass
    try:
        loose = IPv4Network(str(value), strict=False)
    except ValueError:
        raise ValueError(f'"{value}" is not an IPv4 subnet; write it as 10.10.20.0/24') from None
    raise ValueError(f'"{value}" has host bits set, so it is an address and not a subnet; write {loose}')


def _address(value: Any) -> Any:
    text = f".{value}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
    if match := _SUFFIX.match(text):
        if not 1 <= int(match[1]) <= 254:
            raise ValueError(f'"{value}" is not the last part of an address; write 1 to 254')
        return text
    try:
        return str(IPv4Address(text))
    except ValueError:
        raise ValueError(
            f'"{text}" is not an IPv4 address; write 10.10.20.11, or 11 for that in its VLAN'
        ) from None


def _whole_address(value: Any) -> Any:
    text = _address(value)
    if text.startswith("."):
        raise ValueError(
            f'"{value}" is only the last part of an address, and no vlan says of which; write it whole'
        )
    return text


def _address_or(word: str) -> Any:
    def read(value: Any) -> Any:
        return value if value == word else _address(value)

    return read


def _dhcp(value: Any) -> Any:
    if value == "none":
        return None
    match = _DHCP.match(str(value))
    if match is None or not 1 <= int(match[1]) <= int(match[2]) <= 254:
        raise ValueError(f'"{value}" is not a DHCP range; write .100-.200 or none')
    return int(match[1]), int(match[2])


def _image(value: Any) -> Any:
    text = str(value)
    match = _IMAGE.match(text)
    if match is None:
        raise ValueError(f'"{text}" is not an image reference; write REGISTRY/NAME:TAG@sha256:DIGEST')
    if match["digest"] is None:
        raise ValueError(
            f'"{text}" has no digest, so another image may answer to it tomorrow; '
            f"append @sha256: and the digest that the registry names for it"
        )
    return text


def _host(value: Any) -> Any:
    if not _HOST_LABEL.match(str(value)):
        raise ValueError(f'"{value}" is not a host name; use lower-case letters, digits, hyphens and dots')
    return str(value)


def _path(value: Any) -> Any:
    text = str(value)
    if not _PATH.match(text):
        raise ValueError(
            f'"{text}" is not a path that everybody spells alike: a character may also be written as % and its number, '
            "which Traefik keeps apart and a sign-in does not; begin with / and use letters, digits and - . _ ~ /"
        )
    inner = text.removesuffix("/").split("/")[1:]
    if not {"", ".", ".."}.isdisjoint(inner):
        raise ValueError(
            f'"{text}" is never asked for, because Traefik cleans paths first; write it without empty parts and dots'
        )
    return text


def _flow_text(kind: type[Port] | type[Endpoint] | type[Target]) -> Any:
    def read(value: Any) -> Any:
        return value if isinstance(value, kind) else kind.parse(str(value))

    return read


def _port_text(value: Any) -> Any:
    port = Port.parse(value)
    if port.last:
        raise ValueError(f"{value} is a range; write one entry for each of its ports")
    return str(port)


def _one_or_many(value: Any) -> Any:
    return [value] if isinstance(value, str | int) else value


def _text_schema(description: str, *examples: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "description": description, "examples": list(examples)})


def _address_schema(description: str, *words: str) -> WithJsonSchema:
    examples = ["10.10.20.11", 11, *words]
    return WithJsonSchema({"type": ["string", "integer"], "description": description, "examples": examples})


@dataclass(frozen=True)
class Form:
    """What a kind of value looks like, in words, for the message about one that does not."""

    words: str


Name = Annotated[
    str,
    Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$"),
    Form("lower-case letters, digits and hyphens, at most 32"),
]
AudienceMember = Annotated[
    str,
    Field(pattern=r"^(tailnet:)?[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$"),
    Form("internet, tailnet, tailnet:GROUP, or the name of a VLAN"),
]
Size = Annotated[int, BeforeValidator(_size), _text_schema("a size in bytes with its unit", "8GiB", "500MiB")]
YesNo = Annotated[bool, BeforeValidator(_yes_no), WithJsonSchema({"enum": ["yes", "no", True, False]})]
Subnet = Annotated[IPv4Network, BeforeValidator(_network), _text_schema("an IPv4 subnet", "10.10.20.0/24")]
Address = Annotated[
    str, BeforeValidator(_address), _address_schema("an address, or its last part in its VLAN")
]
"""Kept as text; `.11` is the last part of an address in a VLAN that the reader of the value knows."""
WholeAddress = Annotated[
    str, BeforeValidator(_whole_address), _text_schema("a whole IPv4 address", "10.10.20.11")
]
GatewayAddress = Annotated[
    str,
    BeforeValidator(_address_or("none")),
    _address_schema("the router's address, its last part, or none", "none"),
]
NicAddress = Annotated[
    str, BeforeValidator(_address_or("dhcp")), _address_schema("an address, its last part, or dhcp", "dhcp")
]
DhcpRange = Annotated[
    tuple[int, int] | None,
    BeforeValidator(_dhcp),
    _text_schema("the last parts of the first and last leased address, or none", ".100-.200", "none"),
]
Image = Annotated[
    str, BeforeValidator(_image), _text_schema("an image by digest", "docker.io/library/postgres:16@sha256:…")
]
HostName = Annotated[str, BeforeValidator(_host), _text_schema("a host name", "vault", "*.lab.example")]
PathPrefix = Annotated[str, BeforeValidator(_path), _text_schema("the beginning of paths", "/api", "/admin/")]
PortValue = Annotated[
    Port,
    BeforeValidator(_flow_text(Port)),
    PlainSerializer(str),
    WithJsonSchema(
        {"type": ["integer", "string"], "description": "a port, tcp unless it says udp", "examples": [443]}
    ),
]
PortText = Annotated[
    str, BeforeValidator(_port_text), _text_schema("a port, tcp unless it says udp", "1900/udp")
]
"""A port as a key: always written with its protocol."""
PortNumber = Annotated[int, Field(ge=1, le=65535)]
EndpointValue = Annotated[
    Endpoint,
    BeforeValidator(_flow_text(Endpoint)),
    PlainSerializer(str),
    _text_schema("a source", "vlan:iot", "internet"),
]
TargetValue = Annotated[
    Target,
    BeforeValidator(_flow_text(Target)),
    PlainSerializer(str),
    _text_schema("a target with its port", "service:media/jellyfin:8096"),
]
SomeEndpoints = Annotated[tuple[EndpointValue, ...], Field(min_length=1), BeforeValidator(_one_or_many)]
SomeTargets = Annotated[tuple[TargetValue, ...], Field(min_length=1), BeforeValidator(_one_or_many)]
Manage = Literal["yes", "observe"]
