"""What a lab promises about itself, and what it puts up with."""

from dataclasses import dataclass

from lab.flows import Endpoint, Target


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """A sentence that must hold: every source reaches every target, or none of them any."""

    sources: tuple[Endpoint, ...]
    targets: tuple[Target, ...]
    reach: bool
    because: str = ""


@dataclass(frozen=True, kw_only=True)
class Acceptance:
    """Paths that exist without a permission and are put up with."""

    sources: tuple[Endpoint, ...]
    targets: tuple[Target, ...]
    because: str
