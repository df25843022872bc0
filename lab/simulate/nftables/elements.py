"""The elements of sets and maps, and how a packet's key is looked up in them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from lab.simulate.nftables.tokens import Tokens, unreadable
from lab.simulate.nftables.values import Kind, Span, read_span
from lab.simulate.nftables.verdicts import Verdict, read_verdict


@dataclass(frozen=True)
class Element:
    """One element: a value, or one value for each part of a concatenation.

    Attributes:
        spans: one for each part; empty for `*`, which is every key that no other element has.
        text: as it is written, with comment and verdict; empty for a value outside of braces.
        line: where.
        comment: empty when it has none.
        verdict: what a verdict map does with it; None in a set.
    """

    spans: tuple[Span, ...]
    text: str
    line: int
    comment: str = ""
    verdict: Verdict | None = None

    @property
    def exact(self) -> bool:
        """Whether it is a single key."""
        return bool(self.spans) and all(span.first == span.last for span in self.spans)

    def holds(self, key: Sequence[int | None]) -> bool:
        """Whether the key is in it; a part that is None may be anything."""
        return all(
            part is None or span.first <= part <= span.last
            for span, part in zip(self.spans, key, strict=True)
        )

    def meets(self, other: "Element") -> bool:
        """Whether some key is in both; `*` leaves every key to the others."""
        return bool(self.spans and other.spans) and all(
            mine.first <= theirs.last and theirs.first <= mine.last
            for mine, theirs in zip(self.spans, other.spans, strict=True)
        )


@dataclass(frozen=True)
class Form:
    """What the elements of a set or map may be.

    Attributes:
        kinds: of the parts of each key.
        maps: whether each element has a verdict.
        spans: whether prefixes and ranges are allowed.
        merges: whether nft merges those that overlap; it never does in maps and concatenations.
    """

    kinds: tuple[Kind, ...]
    maps: bool
    spans: bool = False
    merges: bool = False


class Elements:
    """All elements of one set or map."""

    def __init__(self, elements: Iterable[Element]) -> None:
        self._exact: dict[tuple[int, ...], Element] = {}
        self._spans: list[Element] = []
        self._rest: Element | None = None
        for element in elements:
            if not element.spans:
                self._rest = element
            elif element.exact:
                self._exact.setdefault(tuple(span.first for span in element.spans), element)
            else:
                self._spans.append(element)

    def __iter__(self) -> Iterator[Element]:
        yield from self._exact.values()
        yield from self._spans
        if self._rest is not None:
            yield self._rest

    def find(self, key: tuple[int, ...]) -> Element | None:
        """The element that holds a key."""
        found = self._exact.get(key)
        return found or next((part for part in self._spans if part.holds(key)), self._rest)

    def may_hold(self, key: Sequence[int | None]) -> bool:
        """Whether some element would hold the key, whatever the parts are that are None."""
        every = (*self._exact.values(), *self._spans)
        return self._rest is not None or any(element.holds(key) for element in every)


def one_value(span: Span) -> Elements:
    """What a comparison with one value, prefix or range compares with."""
    return Elements([Element((span,), "", 0)])


def read_elements(tokens: Tokens, form: Form) -> Elements:
    """Read `{ … }`.

    Args:
        tokens: stand at the opening brace.
        form: what the elements may be.

    Raises:
        UnreadableRules: something else is there, or elements overlap where nft refuses that.
    """
    tokens.expect("{", "elements stand in braces")
    found: list[Element] = []
    while True:
        tokens.skip_ends()
        found.append(_element(tokens, form))
        tokens.skip_ends()
        if not tokens.accept(","):
            break
        tokens.skip_ends()
        if tokens.is_next("}"):
            break
    tokens.expect("}", "elements are parted by `,` and end with `}`")
    if not form.spans:
        _refuse_spans(found)
    if form.maps or not form.merges or len(form.kinds) > 1:
        _refuse_conflicts(found, form)
    return Elements(found)


def _element(tokens: Tokens, form: Form) -> Element:
    first = tokens.peek()
    spans: list[Span] = []
    if not (form.maps and tokens.accept("*")):
        for number, kind in enumerate(form.kinds):
            if number:
                tokens.expect(".", f"an element has {len(form.kinds)} parts, parted by ` . `")
            spans.append(read_span(tokens, kind))
    comment = ""
    if tokens.accept("comment"):
        comment = tokens.take_kind("string", "a quoted comment").text
    verdict = None
    if form.maps:
        tokens.expect(":", "each element of a map has its verdict")
        verdict = read_verdict(tokens)
    return Element(tuple(spans), tokens.source(first), first.line, comment, verdict)


def _refuse_spans(elements: Iterable[Element]) -> None:
    for element in elements:
        if element.spans and not element.exact:
            raise unreadable(
                element.line,
                f"`{element.text}` is a prefix or range, and the set has no `flags interval`",
                "add `flags interval` to the set",
            )


def _refuse_conflicts(elements: Sequence[Element], form: Form) -> None:
    """Refuse elements that share a key: nft or the kernel does, or takes either of two verdicts."""
    seen: dict[tuple[Span, ...], Element] = {}
    wide: list[Element] = []
    for element in elements:
        twin = seen.get(element.spans)
        if twin is not None and not form.maps:
            continue
        candidates = wide if element.exact else seen.values()
        other = twin or next((other for other in candidates if other.meets(element)), None)
        if other is not None:
            raise unreadable(
                element.line,
                f"`{element.text}` holds a key of `{other.text}` (line {other.line})",
                "give each key one verdict" if form.maps else "write elements that do not overlap",
            )
        seen[element.spans] = element
        if not element.exact and element.spans:
            wide.append(element)
