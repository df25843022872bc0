"""What a lab promises about itself: sentences that must hold, and paths that are put up with."""

from pydantic import Field

from lab.config.strict import Part
from lab.config.values import SomeEndpoints, SomeTargets, YesNo


class ExpectConfig(Part):
    """A sentence that the proof must confirm and `lab verify` must see: who reaches whom, or does not."""

    from_: SomeEndpoints
    """The sources; each of them is meant."""
    to: SomeTargets
    """The targets; a target without a port means every port, those that nobody declared among them."""
    reach: YesNo
    """Whether they can open a connection."""
    because: str = ""
    """Why it matters."""


class AcceptConfig(Part):
    """A path that exists, that no flow permits, and that the lab puts up with."""

    from_: SomeEndpoints
    """The sources."""
    to: SomeTargets
    """The targets; of a segment, whoever is there without a firewall of the lab: guests and nodes are named."""
    because: str = Field(min_length=1)
    """Why it is put up with; every proof repeats it."""
