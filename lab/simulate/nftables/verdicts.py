"""What a rule or an element of a verdict map does with a packet."""

from dataclasses import dataclass
from typing import Literal

from lab.simulate.nftables.tokens import Tokens

VerdictWord = Literal["accept", "drop", "reject", "jump", "goto", "return", "continue"]

_PLAIN: dict[str, VerdictWord] = {
    "accept": "accept",
    "drop": "drop",
    "return": "return",
    "continue": "continue",
}
_WITH_TARGET: dict[str, VerdictWord] = {"jump": "jump", "goto": "goto"}


@dataclass(frozen=True)
class Verdict:
    """A verdict; `jump` and `goto` have a chain."""

    word: VerdictWord
    target: str = ""
    line: int = 0


def is_verdict(word: str) -> bool:
    """Whether a word starts what `read_verdict` reads."""
    return word in _PLAIN or word in _WITH_TARGET


def read_verdict(tokens: Tokens) -> Verdict:
    """Read a verdict that may stand in a map: every one but `reject`.

    Raises:
        UnreadableRules: none comes next.
    """
    token = tokens.peek()
    if token.kind == "word" and token.text in _PLAIN:
        return Verdict(_PLAIN[tokens.take().text], line=token.line)
    if token.kind == "word" and token.text in _WITH_TARGET:
        tokens.take()
        target = tokens.take_kind("word", "the name of a chain").text
        return Verdict(_WITH_TARGET[token.text], target, token.line)
    known = ", ".join([*_PLAIN, *(f"{word} CHAIN" for word in _WITH_TARGET)])
    raise tokens.refuse(f"{token} is not a verdict", f"write one of: {known}")
