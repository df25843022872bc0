"""What the kernel does with a packet under a rendered nftables text.

`read_ruleset` reads what `nft -f` would load into an empty kernel and refuses, with its line,
every construct that it does not know. `Ruleset.verdict` takes a packet through the base chains
of one hook and says which rule decided. It knows nothing of the plan that the text came from;
tests/evidence/simulate/test_nftables_kernel.py holds it to the real kernel.
"""

from lab.simulate.nftables.fields import Hook
from lab.simulate.nftables.packet import Packet
from lab.simulate.nftables.reading import read_ruleset
from lab.simulate.nftables.ruleset import NOT_MODELLED, Decision, Ruleset
from lab.simulate.nftables.tokens import UndecidedPacket, UnreadableRules

__all__ = [
    "NOT_MODELLED",
    "Decision",
    "Hook",
    "Packet",
    "Ruleset",
    "UndecidedPacket",
    "UnreadableRules",
    "read_ruleset",
]
