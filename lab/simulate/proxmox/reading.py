"""What is found while firewall files are read: what cannot be evaluated, and what Proxmox VE itself skips."""

from lab.errors import Issue, LabError


class FirewallError(LabError):
    """Firewall files, or a question about them, that cannot be evaluated."""

    headline = "the Proxmox firewall has"


def refusal(path: str, problem: str, repair: str) -> FirewallError:
    """The error for one problem, where nothing more can be found."""
    return FirewallError([Issue(path=path, problem=problem, repair=repair)])


class Reading:
    """Collects every problem, so that all of them come at once."""

    def __init__(self) -> None:
        self._refused: list[Issue] = []
        self._ignored: list[Issue] = []

    def refuse(self, path: str, problem: str, repair: str) -> None:
        """Note what would make every verdict a guess."""
        self._refused.append(Issue(path=path, problem=problem, repair=repair))

    def ignore(self, path: str, problem: str, repair: str) -> None:
        """Note what Proxmox VE accepts, logs at most, and gives no effect."""
        self._ignored.append(Issue(path=path, problem=problem, repair=repair))

    @property
    def ignored(self) -> tuple[Issue, ...]:
        """What has no effect, in a fixed order."""
        return tuple(sorted(set(self._ignored)))

    def stop_if_refused(self) -> None:
        """End the reading where something was refused.

        Raises:
            FirewallError: every problem that was noted.
        """
        if self._refused:
            raise FirewallError(self._refused)
