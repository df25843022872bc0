"""From the bytes of a query to the bytes of its reply (RFC 1035, section 4; EDNS: RFC 6891)."""

import struct
from collections.abc import Callable
from dataclasses import dataclass

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
from dns.message import Message
from dns.rcode import Rcode
from dns.rdataclass import IN
from dns.rdatatype import RdataType

from sandbox.dns.answers import Found

LARGEST_UDP = 1232
"""Bytes of a reply over UDP that no link of today cuts in two (https://www.dnsflagday.net/2020/)."""
LARGEST_TCP = 65535
_PLAIN_UDP = 512
_HEADER = struct.Struct("!6H")
_OPCODE_SHIFT, _OPCODE_BITS = 11, 0xF
# From here up to ANY are types that ask for something else than records of that type (RFC 6895, section 3.1).
_FIRST_META = 128

Ask = Callable[[dns.name.Name, RdataType], Found]


@dataclass(frozen=True, kw_only=True)
class Question:
    """What was asked: a name without its last dot, in lower case, and the name of a type."""

    name: str
    kind: str


def reply(query: bytes, ask: Ask, *, largest: int) -> tuple[bytes | None, Question | None]:
    """The reply to a query, and what it asked.

    Args:
        query: as it came.
        ask: what there is to say about a name.
        largest: bytes that the transport takes; over UDP a query without EDNS takes 512, whatever this is.

    Returns:
        None as reply to what is none: less than a header, or itself a reply, which could go on for ever.
        None as question where the query is malformed, or asks none.
    """
    if len(query) < _HEADER.size:
        return None, None
    _, flags, questions, *_ = _HEADER.unpack_from(query)
    if flags & dns.flags.QR:
        return None, None
    if flags >> _OPCODE_SHIFT & _OPCODE_BITS != dns.opcode.QUERY:
        return _bare(query, dns.rcode.NOTIMP), None
    message = _parsed(query) if questions == 1 else None
    if message is None:
        return _bare(query, dns.rcode.FORMERR), None
    asked = message.question[0]
    name = asked.name.to_text(omit_final_dot=True).lower()
    wire = _answered(message, ask).to_wire(max_size=_room(message, largest), prefer_truncation=True)
    return wire, Question(name=name, kind=asked.rdtype.name)


def failure(query: bytes) -> bytes:
    """The reply SERVFAIL to a query that has a header."""
    return _bare(query, dns.rcode.SERVFAIL)


def _parsed(query: bytes) -> Message | None:
    try:
        return dns.message.from_wire(query)
    except Exception:
        # Anybody sends these bytes: whatever a parser says of them, they are malformed.
        return None


def _answered(query: Message, ask: Ask) -> Message:
    answered = dns.message.make_response(query, our_payload=LARGEST_UDP, pad=0)
    asked = query.question[0]
    if query.edns > 0:
        answered.set_rcode(dns.rcode.BADVERS)
        return answered
    is_meta = _FIRST_META <= asked.rdtype < RdataType.ANY or asked.rdtype == RdataType.OPT
    if asked.rdclass != IN or is_meta:
        # Zone transfers are among them, and no zone is transferred.
        answered.set_rcode(dns.rcode.REFUSED)
        return answered
    found = ask(asked.name, asked.rdtype)
    answered.set_rcode(found.rcode)
    if found.is_authoritative:
        answered.flags |= dns.flags.AA
    answered.answer = found.answer
    answered.authority = found.authority
    return answered


def _room(query: Message, largest: int) -> int:
    """The bytes that a reply may have."""
    if largest > LARGEST_UDP:
        return largest
    return min(largest, max(_PLAIN_UDP, query.payload if query.edns >= 0 else 0))


def _bare(query: bytes, rcode: Rcode) -> bytes:
    """A reply without sections: the id, the opcode and RD of the query, and a code."""
    identifier, flags, *_ = _HEADER.unpack_from(query)
    kept = flags & (_OPCODE_BITS << _OPCODE_SHIFT | dns.flags.RD)
    return _HEADER.pack(identifier, dns.flags.QR | kept | rcode, 0, 0, 0, 0)
