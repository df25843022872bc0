"""The conditions of a rule: whether a packet, as a base chain sees it, meets them."""

from dataclasses import dataclass

from lab.simulate.nftables.elements import Element, Elements, one_value
from lab.simulate.nftables.fields import Field, Missing, View
from lab.simulate.nftables.tokens import undecided
from lab.simulate.nftables.values import Span


@dataclass(frozen=True)
class Bits:
    """`ct state established,related`: at least one of these bits is set."""

    field: Field
    mask: int

    def meets(self, view: View) -> bool:
        """Whether the packet has one of the bits."""
        value = self.field.read(view)
        return isinstance(value, int) and value & self.mask != 0


@dataclass(frozen=True)
class Lookup:
    """A key of one or more fields, looked up among elements.

    Attributes:
        fields: the parts of the key.
        elements: of a set or map, or the one value that is compared with.
        line: where.
    """

    fields: tuple[Field, ...]
    elements: Elements
    line: int

    def find(self, view: View) -> Element | Missing | None:
        """The element that holds the packet's key, or ABSENT where the packet has no such key.

        Raises:
            UndecidedPacket: it depends on bytes of the packet that are not modelled.
        """
        values = [field.read(view) for field in self.fields]
        if Missing.ABSENT in values:
            return Missing.ABSENT
        known = tuple(value for value in values if isinstance(value, int))
        if len(known) == len(values):
            return self.elements.find(known)
        if not self.elements.may_hold([value if isinstance(value, int) else None for value in values]):
            return None
        words = " . ".join(field.words for field in self.fields)
        raise undecided(
            self.line,
            f"`{words}` asks for a port, and a packet of protocol {view.packet.protocol} has none: "
            "the kernel would compare other bytes of it",
            "put `meta l4proto { tcp, udp }` before it in the rule",
        )


@dataclass(frozen=True)
class Match:
    """A lookup that must find something; negated, nothing."""

    lookup: Lookup
    negated: bool = False

    def meets(self, view: View) -> Element | bool:
        """Whether the packet meets it, and the element that it is in.

        Raises:
            UndecidedPacket: see `Lookup.find`.
        """
        found = self.lookup.find(view)
        if isinstance(found, Missing):
            return False
        return found is None if self.negated else found or False


@dataclass(frozen=True)
class Never:
    """`limit rate over`: the packet that is asked about exceeds no rate."""

    def meets(self, view: View) -> bool:
        """No."""
        return False


Condition = Bits | Match | Never


def is_value(field: Field, name: str) -> Match:
    """Whether a field has one of its symbolic values, as nft asks by itself before some statements."""
    value = field.kind.names[name]
    return Match(Lookup((field,), one_value(Span(value, value)), 0))
