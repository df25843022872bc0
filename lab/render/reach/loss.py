"""The verb `compromise`: what follows if somebody is taken, numbers first; and who would be the worst to lose."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from lab.flows import Endpoint
from lab.isolation import Answer, Proof
from lab.isolation.compromise import Chain, Compromise, Compromises
from lab.isolation.relays import Relay, relays
from lab.plan.records import LabPlan
from lab.render.reach.page import Block, Lines, Page, Point, Points, Rows, Title
from lab.render.reach.untold import untold
from lab.render.reach.words import counted, ends_data, named, port_text, ports_text, way_data


@dataclass(frozen=True)
class Loss:
    """What follows from one loss, requests that the ingress passes on included."""

    compromise: Compromise
    relays: tuple[Relay, ...]

    @property
    def targets(self) -> int:
        """How many others are reached directly."""
        return len({answer.target for answer in self.compromise.reached})

    @property
    def more(self) -> int:
        """How many more could follow if everything reached is taken, too."""
        return len({chain.target for chain in self.compromise.chains})


def losses(proof: Proof, endpoints: Iterable[Endpoint]) -> tuple[Loss, ...]:
    """What follows if one of some endpoints is taken, each by itself."""
    compromises = Compromises(proof.reach, proof.openings)
    return tuple(Loss(compromises.of(one), tuple(relays(proof, [one]))) for one in endpoints)


def losses_data(plan: LabPlan, found: Sequence[Loss]) -> dict[str, Any]:
    """The answer for a program."""
    return {"version": 1, "lab": plan.environment, "compromised": [_data(loss) for loss in found]}


def _data(loss: Loss) -> dict[str, Any]:
    lost = loss.compromise
    return {
        "endpoint": str(lost.service),
        "root_on_its_host": lost.root is not None,
        "taken_along": list(map(str, lost.taken_along)),
        "powers": [{"root": power.root, "reason": power.reason, "key": power.key} for power in lost.powers],
        "reached": [{**ends_data(answer), "reason": answer.reason} for answer in lost.reached],
        "cannot_tell": [{**ends_data(answer), "reason": answer.reason} for answer in lost.uncertain],
        "by_the_ingress": [
            {"to": str(r.target), "port": str(r.port), "host": r.route.host, **way_data(r.path)}
            for r in loss.relays
        ],
        "by_pivots": [
            {
                "to": str(chain.target),
                "taking": [str(step) for step in chain.steps],
                "last_step": ends_data(chain.answer),
            }
            for chain in lost.chains
        ],
    }


def ranking_page(environment: str, found: Sequence[Loss]) -> Page:
    """Everybody at a glance, the worst loss first."""
    worst = sorted(
        found,
        key=lambda loss: (loss.compromise.root is None, -loss.targets - loss.more, loss.compromise.service),
    )
    rows = [
        (
            str(loss.compromise.service),
            "yes" if loss.compromise.root else "no",
            str(len(loss.compromise.taken_along)),
            str(loss.targets),
            str(loss.more),
            str(len({answer.target for answer in loss.compromise.uncertain})),
        )
        for loss in worst
    ]
    return [
        Title(f"{environment}: what follows if a service is taken", 1),
        Rows(
            ("service", "root on its host", "takes along", "reaches", "more by pivots", "cannot tell"),
            tuple(rows),
        ),
        Lines(("`lab compromise ENDPOINT` says what each number stands for",)),
    ]


def loss_page(loss: Loss) -> Page:
    """One loss for a person."""
    lost = loss.compromise
    unsure = len({answer.target for answer in lost.uncertain})
    return [
        Title(f"If {lost.service} is taken", 1),
        Rows(
            ("", ""),
            (
                ("taken along", f"{len(lost.taken_along)} others"),
                ("reached", counted(loss.targets, "target")),
                ("by pivots", f"{counted(loss.more, 'target')} more, if everything reached is taken, too"),
                ("by the ingress", counted(len({r.target for r in loss.relays}), "target")),
                ("cannot tell", counted(unsure, "target")),
                ("root on its host", "yes" if lost.root else "no"),
            ),
            quiet=True,
        ),
        *_powers(lost),
        *_reached(lost),
        *_relayed(loss.relays),
        *_chains(lost.chains),
        *_untold(lost.uncertain),
    ]


def _powers(lost: Compromise) -> Iterator[Block]:
    if lost.taken_along:
        yield Title("Taken along")
        yield Lines((named(lost.taken_along, few=len(lost.taken_along)),))
    if lost.powers:
        yield Title("Beyond its network")
        yield Points(
            tuple(Point(f"{'root: ' if p.root else ''}{p.reason} (key {p.key})") for p in lost.powers)
        )


def _reached(lost: Compromise) -> Iterator[Block]:
    if lost.reached:
        yield Title("Reached")
        yield Rows(("to", "port", "because"), tuple(_by_target(lost.reached)))


def _by_target(answers: Iterable[Answer]) -> Iterator[tuple[str, str, str]]:
    found: dict[tuple[Endpoint, str], list[Answer]] = {}
    for answer in answers:
        found.setdefault((answer.target, answer.reason), []).append(answer)
    for (target, reason), group in found.items():
        yield str(target), ports_text(answer.port for answer in group), reason


def _relayed(found: Sequence[Relay]) -> Iterator[Block]:
    if found:
        yield Title("Passed on by the ingress (requests, not packets)")
        rows = [
            (f"{r.target}:{r.port}", f"{r.route.host}{r.route.path or ''}", r.route.auth, str(r.path.verdict))
            for r in found
        ]
        yield Rows(("to", "host", "asks for", "verdict"), tuple(rows))


def _chains(chains: Sequence[Chain]) -> Iterator[Block]:
    if chains:
        yield Title("Only by taking others first (pivots)")
        rows = [
            (str(chain.target), port_text(chain.answer.port), " → ".join(map(str, chain.steps)))
            for chain in chains
        ]
        yield Rows(("to", "first at", "by taking"), tuple(rows))


def _untold(answers: Sequence[Answer]) -> Iterator[Block]:
    if answers:
        yield Title(f"Nobody can tell: {counted(len(answers), 'path')}")
        yield untold(answers)
