"""From a record of Cloudflare's API to what DNS carries of it.

The types are A, AAAA, CAA, CNAME, MX, NS, PTR, SRV and TXT; a record of another type gives its name existence and no
answer.
"""

from collections.abc import Callable

import dns.rdata
from dns.rdata import Rdata
from dns.rdataclass import IN
from dns.rdatatype import RdataType

from sandbox.cloudflare.contents import txt_strings
from sandbox.cloudflare.records import AUTOMATIC
from sandbox.dns.zones import Record

AUTOMATIC_SECONDS = 300
"""What a TTL of 1, "Auto", is on the wire (https://developers.cloudflare.com/dns/manage-dns-records/reference/ttl/)."""
PROXY_ADDRESS = "192.0.2.1"
"""Where a proxied record leads: an address for documentation (TEST-NET-1, RFC 5737), because nobody proxies here."""
# A character-string has one byte of length (RFC 1035, section 3.3).
_LONGEST_STRING = 255


def seconds(record: Record) -> int:
    """The TTL of a record."""
    return AUTOMATIC_SECONDS if record["ttl"] == AUTOMATIC else int(record["ttl"])


def from_record(record: Record) -> Rdata | None:
    """What DNS carries of a record; None for a type that is not served."""
    text = _TEXTS.get(record["type"])
    return from_text(RdataType[record["type"]], text(record)) if text else None


def from_text(kind: RdataType, text: str) -> Rdata:
    """What a zone file says in one line, all names of it absolute."""
    return dns.rdata.from_text(IN, kind, text)


def _content(record: Record) -> str:
    return str(record["content"])


def _target(record: Record) -> str:
    return _absolute(record["content"])


def _absolute(name: str) -> str:
    return f"{name.lower().removesuffix('.')}."


def _mx(record: Record) -> str:
    return f"{record['priority']} {_target(record)}"


def _txt(record: Record) -> str:
    strings = [text.encode() for text in txt_strings(record["content"]) or [record["content"]]]
    return " ".join(
        _quoted(string[start : start + _LONGEST_STRING])
        for string in strings
        for start in range(0, len(string) or 1, _LONGEST_STRING)
    )


def _caa(record: Record) -> str:
    data = record["data"]
    return f"{_number(data['flags'])} {data['tag']} {_quoted(str(data['value']).encode())}"


def _srv(record: Record) -> str:
    data = record["data"]
    numbers = " ".join(str(_number(data[key])) for key in ("priority", "weight", "port"))
    return f"{numbers} {_absolute(str(data['target']))}"


def _number(value: object) -> int:
    """A number, which the API also takes as 5.0 or "5"."""
    return int(float(str(value)))


def _quoted(string: bytes) -> str:
    """A string of any bytes as a zone file has it (RFC 1035, section 5.1)."""
    return '"' + "".join(f"\\{byte:03d}" for byte in string) + '"'


_TEXTS: dict[str, Callable[[Record], str]] = {
    "A": _content,
    "AAAA": _content,
    "CAA": _caa,
    "CNAME": _target,
    "MX": _mx,
    "NS": _target,
    "PTR": _target,
    "SRV": _srv,
    "TXT": _txt,
}
