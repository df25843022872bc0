"""Statements of a rule that are neither comparison nor plain verdict: counter, log, limit, reject."""

from lab.simulate.nftables.conditions import Condition, Never, is_value
from lab.simulate.nftables.fields import L4PROTO, NFPROTO
from lab.simulate.nftables.tokens import Tokens

_LOG_LEVELS = ("emerg", "alert", "crit", "err", "warn", "notice", "info", "debug")
_LOG_NUMBERS = ("group", "snaplen", "queue-threshold")
_RATES = ("second", "minute", "hour", "day", "week")
_ICMP_REASONS = (
    "net-unreachable",
    "host-unreachable",
    "prot-unreachable",
    "port-unreachable",
    "net-prohibited",
    "host-prohibited",
    "admin-prohibited",
)
_ICMPV6_REASONS = (
    "no-route",
    "admin-prohibited",
    "addr-unreachable",
    "port-unreachable",
    "policy-fail",
    "reject-route",
)
_ICMPX_REASONS = ("port-unreachable", "admin-prohibited", "no-route", "host-unreachable")


def skip_counter(tokens: Tokens) -> None:
    """Read what follows `counter`; counting decides nothing."""
    if tokens.accept("packets"):
        tokens.take_integer("a number of packets")
        tokens.expect("bytes", "a counter has packets and bytes")
        tokens.take_integer("a number of bytes")


def skip_log(tokens: Tokens) -> None:
    """Read what follows `log`; logging decides nothing."""
    while True:
        if tokens.accept("prefix"):
            tokens.take_kind("string", "a quoted prefix")
        elif tokens.accept("level"):
            _choose(tokens, _LOG_LEVELS, "a log level")
        elif tokens.accept("flags"):
            _choose(tokens, ("all",), "a log flag that the evaluator knows")
        elif any(tokens.accept(word) for word in _LOG_NUMBERS):
            tokens.take_integer("a number")
        else:
            return


def read_limit(tokens: Tokens) -> list[Condition]:
    """What follows `limit`, as a condition for a packet that is under every rate.

    `limit rate 10/second` holds for it, `limit rate over 10/second` does not.
    """
    tokens.expect("rate", "only the rate of the rule itself is known")
    over = tokens.accept("over")
    tokens.take_integer("a number of packets")
    tokens.expect("/", "a rate is PACKETS/UNIT")
    _choose(tokens, _RATES, "a unit of time")
    if tokens.accept("burst"):
        tokens.take_integer("a number of packets")
        tokens.expect("packets", "a burst is a number of packets")
    return [Never()] if over else []


def read_reject(tokens: Tokens) -> list[Condition]:
    """What follows `reject`, as the conditions that nft adds: a reset is for TCP only, and so on.

    Raises:
        UnreadableRules: the kind of rejection is not known.
    """
    if not tokens.accept("with"):
        return []
    if tokens.accept("tcp", "reset"):
        return [is_value(L4PROTO, "tcp")]
    if tokens.accept("icmp"):
        _read_reason(tokens, _ICMP_REASONS)
        return [is_value(NFPROTO, "ipv4")]
    if tokens.accept("icmpv6"):
        _read_reason(tokens, _ICMPV6_REASONS)
        return [is_value(NFPROTO, "ipv6")]
    if tokens.accept("icmpx"):
        _read_reason(tokens, _ICMPX_REASONS)
        return []
    raise tokens.refuse(
        f"reject with {tokens.peek()} is not known", "write tcp reset, icmp, icmpv6 or icmpx with a type"
    )


def _read_reason(tokens: Tokens, known: tuple[str, ...]) -> None:
    tokens.accept("type")
    _choose(tokens, known, "a type of rejection")


def _choose(tokens: Tokens, known: tuple[str, ...], what: str) -> None:
    if not any(tokens.accept(word) for word in known):
        raise tokens.refuse(f"{tokens.peek()} is not {what}", f"write one of: {', '.join(known)}")
