"""The shape of a finding."""

from dataclasses import dataclass

from lab.flows import Endpoint


@dataclass(frozen=True)
class Finding:
    """Something true and unwelcome."""

    kind: str
    """A fixed word for its kind, such as `blocked-flow`; docs/reading-the-matrix.md lists all of them."""
    where: str
    """The part of the lab file that it is about."""
    problem: str
    consequence: str
    repair: str

    def __str__(self) -> str:
        return f"{self.where}: {self.problem}; {self.consequence}\n      repair: {self.repair}"


def place_of_service(endpoint: Endpoint) -> str:
    """Where in the lab file a container is; the ingress and subnet routers have places of their own."""
    stack, _, name = endpoint.name.partition("/")
    return f"stacks.{stack}.services.{name}" if name else str(endpoint)
