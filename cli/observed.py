"""What `lab verify` saw, and whether it is as the proof said."""

from collections.abc import Sequence
from dataclasses import dataclass

from lab.isolation import Proof
from lab.isolation.expectations import questions as sentence_questions
from probe.engines import Fact
from probe.entry_points import EntryPointResult
from probe.matrix import Matrix, Result
from probe.names import NameResult
from probe.routes import RouteResult
from probe.signing import Refusal


@dataclass(frozen=True)
class Sentence:
    """A sentence of the lab file, and whether what was seen bears it out."""

    text: str
    probed: int
    against: tuple[Result, ...]


@dataclass(frozen=True, kw_only=True)
class Observed:
    """Everything that one run saw."""

    matrix: Matrix
    names: Sequence[NameResult]
    seconds: float
    """How long pairs and names took."""
    routes: Sequence[RouteResult]
    entry_points: Sequence[EntryPointResult]
    missing: Sequence[str]
    facts: Sequence[Fact]
    stand_ins: Sequence[str]
    expectations: Sequence[Sentence]
    refusal: Refusal | None = None
    """Why the last try to get a certificate failed; None where it did not, or none is asked for."""
    pinned: str = ""
    """The secret whose certificate is the only one that is right; empty where an authority is trusted, or nobody."""

    @property
    def wrong(self) -> int:
        """How much is not as expected."""
        return (
            len(self.matrix.disagreements)
            + sum(not name.agrees for name in self.names)
            + sum(not route.ok for route in self.routes)
            + sum(not refusal.ok for refusal in self.entry_points)
            + len(self.missing)
            + len(self.facts)
            + sum(bool(sentence.against) for sentence in self.expectations)
        )

    @property
    def probed(self) -> list[Result]:
        """The questions that could be asked."""
        return [result for result in self.matrix.results if result.observed != "not probed"]


def expectations_seen(proof: Proof, matrix: Matrix) -> tuple[Sentence, ...]:
    """Each sentence of the lab file, held against the questions that it is about."""
    seen = {(r.question.source, r.question.target, r.question.port): r for r in matrix.results}
    sentences = []
    for expectation in proof.plan.expectations:
        asked = sentence_questions(proof.reach, proof.openings, expectation)
        results = [
            found
            for source, target, port in asked
            if (found := seen.get((proof.reach.machine(source), proof.reach.machine(target), port)))
            and found.observed != "not probed"
        ]
        wanted = ("yes", "silent") if expectation.reach else ("no", "silent")
        against = tuple(result for result in results if result.observed not in wanted)
        ends = [", ".join(map(str, part)) for part in (expectation.sources, expectation.targets)]
        verb = "reaches" if expectation.reach else "does not reach"
        sentences.append(Sentence(f"{ends[0]} {verb} {ends[1]}", len(results), against))
    return tuple(sentences)


def verify_data(observed: Observed) -> dict[str, object]:
    """What was seen, as JSON."""
    return {
        "version": 5,
        "ok": not observed.wrong,
        "seconds": round(observed.seconds, 3),
        "pairs": [
            {
                "from": str(r.question.source),
                "to": str(r.question.target),
                "port": str(r.question.port) if r.question.port else None,
                "protocol": r.question.protocol,
                "expected": str(r.question.expected),
                "permission": r.question.kind or None,
                "observed": r.observed,
                "milliseconds": round(r.milliseconds, 1),
                "because": r.question.because,
            }
            for r in observed.matrix.results
        ],
        "names": [
            {
                "from": str(n.source),
                "expected": str(n.expected),
                "observed": n.observed,
                "answer": n.answer or None,
                "asked": n.name,
                "milliseconds": round(n.milliseconds, 1),
                "because": n.because,
            }
            for n in observed.names
        ],
        "routes": [
            {
                "url": route.url,
                "audience": route.audience,
                "expected": route.expected,
                "status": route.status,
                "ok": route.ok,
                "issuer": route.issuer or None,
                "days_left": route.days_left,
                "distrust": route.distrust or None,
            }
            for route in observed.routes
        ],
        "pinned": observed.pinned or None,
        "refusal": None if observed.refusal is None else dict(observed.refusal.__dict__),
        "entry_points": [result.__dict__ for result in observed.entry_points],
        "expectations": [
            {"sentence": s.text, "probes": s.probed, "against": len(s.against)} for s in observed.expectations
        ],
        "engine_facts": [fact.__dict__ for fact in observed.facts],
        "missing": list(observed.missing),
        "stand_ins": list(observed.stand_ins),
    }
