"""Bytes in, bytes out: sizes, EDNS, and what is no query."""

import dns.edns
import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import dns.rdataclass
import pytest
from dns.rdatatype import RdataType
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sandbox.dns.answers import find
from sandbox.dns.reply import LARGEST_TCP, LARGEST_UDP, Question, failure, reply
from tests.sandbox.dns.account import account

ZONES = account(
    {"type": "A", "name": "app", "content": "10.10.20.11"},
    *({"type": "TXT", "name": "big", "content": f"{n:02}" * 100} for n in range(3)),
    *({"type": "TXT", "name": "huge", "content": f"{n:02}" * 100} for n in range(20)),
)


def _reply(wire: bytes, largest: int = LARGEST_UDP) -> tuple[bytes | None, Question | None]:
    return reply(wire, lambda name, kind: find(ZONES, name, kind, 7), largest=largest)


def _answered(query: dns.message.Message, largest: int = LARGEST_UDP) -> dns.message.Message:
    wire, _ = _reply(query.to_wire(), largest)
    assert wire is not None
    assert len(wire) <= largest
    answer = dns.message.from_wire(wire)
    assert answer.id == query.id
    return answer


def test_a_reply_belongs_to_its_query() -> None:
    """The id, the question in its letters and RD are the query's; AA is ours, and recursion is not available."""
    query = dns.message.make_query("App.lab.example", "A")
    wire, question = _reply(query.to_wire())
    assert wire is not None
    answer = dns.message.from_wire(wire)
    assert query.is_response(answer)
    assert answer.question[0].name.to_text() == "App.lab.example."
    assert answer.flags == dns.flags.QR | dns.flags.AA | dns.flags.RD
    assert [line.split()[-1] for line in answer.answer[0].to_text().splitlines()] == ["10.10.20.11"]
    assert question == Question(name="app.lab.example", kind="A")


@pytest.mark.parametrize(
    ("name", "payload", "truncated"),
    [
        ("big", None, True),
        ("big", 300, True),
        ("big", 1232, False),
        ("huge", 1232, True),
        ("huge", 4096, True),
    ],
)
def test_a_reply_over_udp_has_room_or_says_so(name: str, payload: int | None, *, truncated: bool) -> None:
    """512 bytes, or what the query takes by EDNS and every link carries; over TCP all of it comes."""
    edns: dict[str, int] = {} if payload is None else {"use_edns": 0, "payload": payload}
    query = dns.message.make_query(f"{name}.lab.example", "TXT", **edns)  # type: ignore[arg-type]
    answer = _answered(query)
    assert bool(answer.flags & dns.flags.TC) is truncated
    assert len(answer.to_wire()) <= (512 if payload in (None, 300) else LARGEST_UDP)
    whole = _answered(query, LARGEST_TCP)
    assert not whole.flags & dns.flags.TC
    assert len(whole.answer[0]) == {"big": 3, "huge": 20}[name]


def test_edns_is_answered_with_edns() -> None:
    """With the size that we take, without padding that nobody needs; a query without it gets none."""
    padded = dns.message.make_query(
        "app.lab.example",
        "A",
        use_edns=0,
        options=[dns.edns.GenericOption(dns.edns.OptionType.PADDING, b"\0" * 9)],
    )
    answer = _answered(padded)
    assert (answer.edns, answer.payload, answer.options) == (0, LARGEST_UDP, ())
    assert _answered(dns.message.make_query("app.lab.example", "A")).edns == -1


def test_another_version_of_edns_is_none_of_ours() -> None:
    """RFC 6891, section 6.1.3."""
    query = dns.message.make_query("app.lab.example", "A", use_edns=1)
    answer = _answered(query)
    assert (answer.rcode(), answer.edns, answer.answer) == (dns.rcode.BADVERS, 0, [])


@pytest.mark.parametrize(("kind", "rdclass"), [("AXFR", "IN"), ("IXFR", "IN"), ("A", "CH"), ("A", "ANY")])
def test_transfers_and_other_classes_are_refused(kind: str, rdclass: str) -> None:
    """A zone is not given away as a whole, and there is only the internet."""
    query = dns.message.make_query("lab.example", kind, rdclass)
    answer = _answered(query)
    assert (answer.rcode(), answer.answer, answer.authority) == (dns.rcode.REFUSED, [], [])


def test_a_type_without_a_name_is_a_type() -> None:
    """There is nothing of it, and it is kept by its number."""
    query = dns.message.make_query("app.lab.example", RdataType.make(65280))
    assert _answered(query).rcode() == dns.rcode.NOERROR
    assert _reply(query.to_wire())[1] == Question(name="app.lab.example", kind="TYPE65280")


def test_other_operations_are_not_implemented() -> None:
    """Nobody updates a zone by DNS."""
    query = dns.message.make_query("lab.example", "SOA")
    for opcode in (dns.opcode.NOTIFY, dns.opcode.UPDATE):
        query.set_opcode(opcode)
        wire, question = _reply(query.to_wire())
        assert wire is not None
        answer = dns.message.from_wire(wire)
        assert (answer.id, answer.opcode(), answer.rcode(), question) == (
            query.id, opcode, dns.rcode.NOTIMP, None,
        )  # fmt: skip


def test_a_reply_is_never_replied_to() -> None:
    """Two servers would go on for ever; what is shorter than a header has no id to answer with."""
    query = dns.message.make_query("app.lab.example", "A")
    reply_to_it = dns.message.make_response(query).to_wire()
    assert _reply(reply_to_it) == (None, None)
    assert _reply(query.to_wire()[:11]) == (None, None)


@pytest.mark.parametrize("questions", [0, 2])
def test_there_is_one_question(questions: int) -> None:
    """None, or two, is malformed."""
    wire = bytearray(dns.message.make_query("app.lab.example", "A").to_wire())
    wire[4:6] = questions.to_bytes(2)
    malformed, question = _reply(bytes(wire) + (wire[12:] if questions == 2 else b""))
    assert question is None
    assert malformed is not None
    assert dns.message.from_wire(malformed).rcode() == dns.rcode.FORMERR


def test_a_failure_is_an_answer() -> None:
    """Who asked need not wait."""
    query = dns.message.make_query("app.lab.example", "A")
    answer = dns.message.from_wire(failure(query.to_wire()))
    assert (answer.id, answer.rcode()) == (query.id, dns.rcode.SERVFAIL)


QUERY = dns.message.make_query("app.lab.example", "A", use_edns=0, want_dnssec=True).to_wire()


@st.composite
def _damaged(draw: st.DrawFn) -> bytes:
    """A query with some bytes replaced, and cut or prolonged."""
    wire = bytearray(QUERY)
    for position, byte in draw(st.lists(st.tuples(st.integers(2, len(wire) - 1), st.integers(0, 255)))):
        wire[position] = byte
    return bytes(wire[: draw(st.integers(0, len(wire)))]) + draw(st.binary(max_size=9))


@given(st.binary(max_size=600))
@example(b"")
@example(b"\0" * 12)
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_malformed_or_dropped(wire: bytes) -> None:
    """Random bytes never end the server; they get a code and no record, or nothing."""
    answer, question = _reply(wire)
    if answer is None:
        assert len(wire) < 12 or wire[2] & 0x80
    elif question is None:
        assert answer[:2] == wire[:2]
        assert len(answer) == 12
        assert answer[3] & 0xF in (dns.rcode.FORMERR, dns.rcode.NOTIMP)


@given(_damaged())
@settings(max_examples=300, deadline=None)
def test_a_damaged_query_is_answered_or_malformed(wire: bytes) -> None:
    """Whatever is answered can be read, and belongs to its query."""
    answer, question = _reply(wire)
    if answer is not None:
        assert answer[:2] == wire[:2]
        assert len(answer) <= LARGEST_UDP
        assert question is not None or len(answer) == 12
        dns.message.from_wire(answer)
