"""The tests that a policy carries: what it permits and, as important, what it does not.

Every permission is tried at its own ports and beside them, by one user of each group and by
each tagged machine; the plan says for each of these whether it must succeed. The service
reads the rules of the policy, and these sentences come from the plan: a policy that
somebody changed by hand contradicts them and is refused as a whole.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Any, Literal

from lab.flows import Protocol
from lab.plan.records import SshRulePlan, TailnetPlan

SSH_PORT = 22
_LAST_PORT = 65535
_LAST_ADDRESS = 2**32 - 1
_ANY: tuple[tuple[Protocol, int], ...] = (("tcp", 443), ("udp", 53))
"""Where a grant of every port is tried: a test names one port."""
_NONROOT, _SOMEBODY = "autogroup:nonroot", "somebody"


@dataclass(frozen=True, order=True)
class _Aim:
    """What one test tries: a port of an address, or of the machines of a tag."""

    target: str
    protocol: str
    port: int

    def __str__(self) -> str:
        return f"{self.target}:{self.port}"


@dataclass(frozen=True, kw_only=True)
class _Opening:
    """A permission, as the tests try it."""

    sources: tuple[str, ...]
    network: IPv4Network | None
    """None for machines of the tailnet."""
    tags: tuple[str, ...]
    protocol: str
    """Empty for every one."""
    first: int
    last: int

    def permits(self, aim: _Aim) -> bool:
        """Whether an aim is within it."""
        if aim.target.startswith("tag:"):
            meant = aim.target in self.tags
        else:
            meant = self.network is not None and IPv4Address(aim.target) in self.network
        return meant and self.protocol in ("", aim.protocol) and self.first <= aim.port <= self.last

    def aims(self) -> Iterator[_Aim]:
        """Its own first and last port, at its first and last address, and whatever lies beside these: the next
        ports, the other protocol, the next addresses."""
        ends = {(self.protocol, self.first), (self.protocol, self.last)} if self.protocol else set(_ANY)
        beside = {(self.protocol, self.first - 1), (self.protocol, self.last + 1)} if self.protocol else set()
        other = {("udp" if protocol == "tcp" else "tcp", port) for protocol, port in ends}
        for protocol, port in ends | beside | other:
            if 1 <= port <= _LAST_PORT:
                yield from (_Aim(target, protocol, port) for target in self._targets())
        for protocol, port in ends:
            yield from (_Aim(target, protocol, port) for target in self._neighbours())

    def _targets(self) -> Sequence[str]:
        if self.network is None:
            return self.tags
        hosts = self.network.num_addresses > 2
        return [str(self.network[1 if hosts else 0]), str(self.network[-2 if hosts else -1])]

    def _neighbours(self) -> Iterator[str]:
        if self.network is not None:
            beside = (int(self.network[0]) - 1, int(self.network[-1]) + 1)
            yield from (str(IPv4Address(n)) for n in beside if 0 < n < _LAST_ADDRESS)


def tests(tailnet: TailnetPlan) -> list[dict[str, Any]]:
    """The section `tests`: one entry for each subject and protocol."""
    openings = list(_openings(tailnet))
    aims = sorted({aim for opening in openings for aim in opening.aims()})
    found: list[dict[str, Any]] = []
    for subject, identities in _subjects(tailnet):
        mine = [opening for opening in openings if identities & set(opening.sources)]
        for protocol in ("tcp", "udp"):
            verdicts: dict[str, list[str]] = {"accept": [], "deny": []}
            for aim in aims:
                # A machine always reaches itself, whatever the policy says.
                if aim.protocol == protocol and aim.target != subject:
                    permitted = any(opening.permits(aim) for opening in mine)
                    verdicts["accept" if permitted else "deny"].append(str(aim))
            if any(verdicts.values()):
                found.append({"src": subject, "proto": protocol, **_filled(verdicts)})
    return found


def _filled(verdicts: dict[str, list[str]]) -> dict[str, list[str]]:
    return {verdict: what for verdict, what in verdicts.items() if what}


def ssh_tests(tailnet: TailnetPlan) -> list[dict[str, Any]]:
    """The section `sshTests`: one entry for each subject and machine that some rule is about."""
    logins = sorted({_login(user) for rule in tailnet.ssh for user in rule.users} | {"root", _SOMEBODY})
    targets = sorted({tag for rule in tailnet.ssh for tag in rule.tags})
    found = []
    for subject, identities in _subjects(tailnet) if tailnet.ssh else ():
        for target in targets:
            mine = [r for r in tailnet.ssh if identities & set(r.sources) and target in r.tags]
            verdicts: dict[str, list[str]] = {"accept": [], "check": [], "deny": []}
            for login in logins:
                verdicts[_shell(mine, login)].append(login)
            if subject != target:
                found.append({"src": subject, "dst": [target], **_filled(verdicts)})
    return found


def _shell(rules: list[SshRulePlan], login: str) -> Literal["check", "accept", "deny"]:
    """What happens to somebody who asks for a shell; Tailscale asks for a sign-in if any rule does."""
    actions = {rule.action for rule in rules if any(_is(user, login) for user in rule.users)}
    if not actions:
        return "deny"
    return "check" if "check" in actions else "accept"


def _login(user: str) -> str:
    return _SOMEBODY if user == _NONROOT else user


def _is(user: str, login: str) -> bool:
    return user == login or (user == _NONROOT and login != "root")


def _openings(tailnet: TailnetPlan) -> Iterator[_Opening]:
    for grant in tailnet.grants:
        for text in grant.ports:
            protocol, _, span = text.rpartition(":")
            first, _, last = span.partition("-")
            every = span == "*"
            yield _Opening(
                sources=grant.sources,
                network=IPv4Network(grant.destination),
                tags=(),
                protocol=protocol,
                first=0 if every else int(first),
                last=_LAST_PORT if every else int(last or first),
            )
    for rule in tailnet.ssh:
        yield _Opening(
            sources=rule.sources, network=None, tags=rule.tags, protocol="tcp", first=SSH_PORT, last=SSH_PORT
        )


def _subjects(tailnet: TailnetPlan) -> Iterator[tuple[str, set[str]]]:
    """One user of each group, the one who is in the fewest, and each tagged machine, with what they count as."""
    groups = {
        user: {f"group:{name}" for name, users in tailnet.groups.items() if user in users}
        for users in tailnet.groups.values()
        for user in users
    }
    chosen = {
        min(users, key=lambda user: len(groups[user])): None for users in tailnet.groups.values() if users
    }
    for user in chosen:
        yield user, groups[user] | {"autogroup:member"}
    for tag in tailnet.tags:
        yield tag, {tag}
