"""A plan while it is made: the declaration, what was given out so far, and what is wrong.

Every step of `build` adds to one draft, so that all problems of all steps are told at
once, and so that there is one place where something is given out and recorded.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network

from lab.addresses import DOCKER_DEFAULT_POOLS, TAILNET_RANGE, Claim, FreeSpace, assign_numbers, overlaps
from lab.config.model import LabConfig
from lab.errors import Issue
from lab.ledger import KINDS, Ledger, Value

DEFAULT_DOCKER_POOL = IPv4Network("10.128.0.0/12")
DEFAULT_EDGE_POOL = IPv4Network("10.144.0.0/16")


@dataclass(frozen=True, kw_only=True)
class Demand:
    """A network that somebody needs."""

    key: str
    """Its record: `HOST/NAME`."""
    owner: str
    """Who needs it, in words."""
    path: str
    """Where it is declared."""
    pool: str = "docker"
    prefix: int = 28
    fixed_prefix: bool = False
    """Whether the prefix is declared, so that another one in the ledger is out of date."""
    subnet: IPv4Network | None = None
    """The subnet that is declared, if one is."""


@dataclass
class Draft:
    """What the steps of planning share."""

    config: LabConfig
    environment: str
    ledger: Ledger
    neighbours: tuple[Claim, ...] = ()
    """What other environments of the same site hold. That two of them overlap is theirs to say."""
    issues: list[Issue] = field(default_factory=list)
    warnings: list[Issue] = field(default_factory=list)
    given: dict[str, dict[str, Value]] = field(default_factory=dict)
    """What was given out now and is not recorded."""

    def refuse(self, path: str, problem: str, repair: str) -> None:
        """Note something that stops the lab."""
        self.issues.append(Issue(path=f"lab.{path}", problem=problem, repair=repair))

    def warn(self, path: str, problem: str, repair: str) -> None:
        """Note something that is unwelcome and stops nothing."""
        self.warnings.append(Issue(path=f"lab.{path}", problem=problem, repair=repair))

    def numbers(self, kind: str, keys: Iterable[str], candidates: Iterable[int]) -> dict[str, int]:
        """Give out numbers of a kind, recorded ones first."""
        recorded = self.ledger.numbers(kind)
        numbers = assign_numbers(keys, recorded, candidates)
        for key, number in numbers.items():
            if key not in recorded:
                self.give(kind, key, number)
        return numbers

    def give(self, kind: str, key: str, value: Value) -> None:
        """Note that something was given out and has to be recorded."""
        self.given.setdefault(kind, {})[key] = value

    def networks(self, demands: Iterable[Demand], declared: Iterable[Claim]) -> dict[str, IPv4Network]:
        """A subnet for every demand: the declared one, else the recorded, else the lowest free of its pool.

        Two owners of one address, of whatever kind, are a problem that names both.
        """
        demands = sorted(demands, key=lambda demand: demand.key)
        recorded = self.ledger.networks()
        settled: dict[str, IPv4Network] = {}
        for demand in demands:
            record = recorded.get(demand.key)
            if demand.subnet is not None:
                settled[demand.key] = demand.subnet
            elif record is not None and not (demand.fixed_prefix and record.prefixlen != demand.prefix):
                settled[demand.key] = record
        claims = [
            *declared,
            *self.neighbours,
            *self._claims(demands, settled),
            *self._left_over(demands, settled, recorded),
            Claim(TAILNET_RANGE, "tailnet devices (RFC 6598)"),
        ]
        self._refuse_overlaps(claims)
        self._warn_of_default_pools(demands)
        settled.update(self._give_out(demands, settled, claims))
        return settled

    def _claims(self, demands: Iterable[Demand], settled: Mapping[str, IPv4Network]) -> list[Claim]:
        return [
            Claim(settled[d.key], d.owner, f"lab.{d.path}" if d.subnet else f"ledger networks/{d.key}")
            for d in demands
            if d.key in settled
        ]

    def _left_over(
        self,
        demands: Iterable[Demand],
        settled: Mapping[str, IPv4Network],
        recorded: Mapping[str, IPv4Network],
    ) -> list[Claim]:
        """Records that nobody uses: they are not given out again while they stand."""
        wanted = {demand.key for demand in demands}
        claims = []
        for key, network in recorded.items():
            if key in settled and settled[key].overlaps(network):
                continue
            reason = "out of date" if key in wanted else "its owner is gone"
            claims.append(Claim(network, f"the record of {key} ({reason})", f"ledger networks/{key}"))
        return claims

    def _refuse_overlaps(self, claims: list[Claim]) -> None:
        for first, second in overlaps(claims):
            if first in self.neighbours and second in self.neighbours:
                continue
            self.issues.append(
                Issue(
                    path=second.path or first.path,
                    problem=f"{second.network} of {second.owner} overlaps {first.network} of {first.owner}",
                    repair=self._way_out(first, second),
                )
            )

    @staticmethod
    def _way_out(first: Claim, second: Claim) -> str:
        for claim in (second, first):
            if claim.path.startswith("ledger "):
                name = claim.path.removeprefix("ledger ")
                return f"drop one of the two: `lab ledger --drop {name}` (its owner then moves)"
        return f"give {second.owner if second.path else first.owner} another subnet"

    def _warn_of_default_pools(self, demands: Iterable[Demand]) -> None:
        for demand in demands:
            if demand.subnet and any(demand.subnet.overlaps(pool) for pool in DOCKER_DEFAULT_POOLS):
                self.warn(
                    demand.path,
                    f"{demand.subnet} lies in Docker's own default pools, "
                    "so a network that names no subnet may hold it",
                    "declare one outside 172.17.0.0 to 172.31.255.255 and 192.168.0.0/16, or none",
                )

    def _give_out(
        self, demands: Iterable[Demand], settled: Mapping[str, IPv4Network], claims: Iterable[Claim]
    ) -> dict[str, IPv4Network]:
        pools = {
            "docker": self.config.pools.docker or DEFAULT_DOCKER_POOL,
            "edge": self.config.pools.edge or DEFAULT_EDGE_POOL,
        }
        taken = [*(claim.network for claim in claims), *DOCKER_DEFAULT_POOLS]
        space = {name: FreeSpace(pool, taken) for name, pool in pools.items()}
        given: dict[str, IPv4Network] = {}
        for demand in demands:
            if demand.key in settled:
                continue
            network = space[demand.pool].take(demand.prefix)
            if network is None:
                self.refuse(
                    f"pools.{demand.pool}",
                    f"{pools[demand.pool]} has no free /{demand.prefix} left for {demand.owner}",
                    "declare a larger pool, or drop records whose owners are gone (`lab ledger`)",
                )
                continue
            for part in space.values():
                # The pools may share addresses.
                part.remove(network)
            given[demand.key] = network
            self.give("networks", demand.key, str(network))
        return given


def check_records(draft: Draft) -> None:
    """Refuse two records of one value, as a merge of two branches may leave them behind."""
    for kind in KINDS:
        seen: dict[tuple[str, str], str] = {}
        for key, value in sorted(draft.ledger.texts(kind).items()):
            # An address belongs to its network or segment, the other values to the whole lab.
            where = {"addresses": key.rsplit("/", 2)[0], "guest-addresses": key.rpartition("/")[2]}.get(
                kind, ""
            )
            other = seen.setdefault((where, value.upper()), key)
            if other != key and kind != "networks":
                draft.issues.append(
                    Issue(
                        path=f"ledger {kind}/{key}",
                        problem=f"{value} is also recorded for {other}",
                        repair=f"drop one of the two: `lab ledger --drop {kind}/{key}` (its owner then moves)",
                    )
                )
