"""What is wrong with a lab, in words that its owner can act on.

LabError            every problem of one reading, never only the first
├── ConfigError     shape: not YAML, an unknown key, a value of the wrong kind
├── PlanError       meaning: an overlap, a name that resolves to nothing
├── LedgerError     the ledger cannot be read, or is behind the lab file
├── AcceptanceError the lab file puts up with a path that does not exist
├── QueryError      a question about somebody or something that is not in the lab
└── SecretsMissing  secrets that the lab refers to and nobody provides
"""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, order=True)
class Issue:
    """One problem: where it is, what is wrong and why, and what repairs it."""

    path: str
    """Where: the dotted path below `homelab:lab`, or a file name."""
    problem: str
    """What is wrong and why, with the value that was given."""
    repair: str
    """What to do, as an instruction."""

    def __str__(self) -> str:
        where = f"{self.path}: " if self.path else ""
        return f"{where}{self.problem}\n      repair: {self.repair}"


class LabError(Exception):
    """Problems that stop a lab before anything is created."""

    headline = "the lab has"
    ending = "; nothing was created"

    def __init__(self, issues: Iterable[Issue]) -> None:
        self.issues = tuple(sorted(set(issues)))
        super().__init__(str(self))

    def __str__(self) -> str:
        count = "one problem" if len(self.issues) == 1 else f"{len(self.issues)} problems"
        lines = "\n".join(f"  - {issue}" for issue in self.issues)
        return f"{self.headline} {count}{self.ending}\n{lines}"


class ConfigError(LabError):
    """The lab file does not have the shape of a lab."""

    headline = "the lab file has"


class PlanError(LabError):
    """The lab file is well-formed, and what it says cannot be."""

    headline = "the lab cannot be planned as declared: it has"


class LedgerError(LabError):
    """The ledger cannot be read, or lacks what the lab needs."""

    headline = "the ledger has"


class AcceptanceError(LabError):
    """The lab file puts up with a path that does not exist, and would hide one that comes back."""

    headline = "the lab accepts what is not there: it has"


class QueryError(LabError):
    """A question about somebody or something that is not in the lab."""

    headline = "the question has"
    ending = ""


class SecretsMissing(LabError):
    """Secrets that the lab refers to and neither Pulumi nor the environment holds."""

    headline = "secrets are missing: the lab has"
