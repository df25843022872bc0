"""What `lab verify` saw, as text and as data."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lab.isolation import Proof, Verdict
from lab.isolation.expectations import questions as sentence_questions
from lab.render.table import table
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


def verify_text(observed: Observed, every: bool) -> Iterator[str]:
    """What was seen, as lines."""
    yield from _pairs(observed, every)
    yield from _disagreements(observed.matrix)
    yield from _names(observed.names, every)
    yield from _routes(observed.routes)
    yield from _refusal(observed.refusal)
    yield from _entry_points(observed.entry_points)
    yield from _sentences(observed.expectations)
    for fact in observed.facts:
        yield f"\nEngine of {fact.host}: {fact.what} is {fact.found}, and the proof took it to be {fact.taken}."
        yield f"  Write engine: {{{fact.what}: {fact.found}}} at {fact.host} in the lab file, then prove again."
    if observed.missing:
        yield "\nNot running, and so not probed: " + ", ".join(observed.missing)
    if observed.stand_ins:
        count = len(observed.stand_ins)
        yield f"\n{count} services are stand-ins that listen where the image would and say their name:"
        yield f"  {', '.join(observed.stand_ins)}"
    yield ""
    yield _summary(observed)


def _pairs(observed: Observed, every: bool) -> Iterator[str]:
    results = observed.matrix.results
    if not observed.probed and not every:
        return
    shown = [r for r in results if every or _worth_reading(r)]
    yield "From endpoint to endpoint (TCP and UDP, declared ports and one that nobody declared)"
    yield from table(
        [_row(result) for result in shown],
        head=("", "from", "to", "port", "expected", "observed", "ms", "because"),
    )
    closed = sum(1 for r in results if r.question.expected is Verdict.no and r.observed in ("no", "silent"))
    own = sum(1 for r in results if r.question.kind == "own host" and r.observed in ("yes", "silent"))
    if not every:
        yield f"  and {closed} pairs that nobody declared, none of which could connect (--all lists them)"
        if own:
            yield f"  and {own} ports of containers that their own host reaches"


def _worth_reading(result: Result) -> bool:
    if not result.agrees:
        return True
    return result.question.expected is not Verdict.no and result.question.kind != "own host"


def _row(result: Result) -> tuple[str, ...]:
    question = result.question
    mark = "ok" if result.agrees else "WRONG"
    if result.observed == "not probed":
        mark = "-"
    return (
        mark,
        str(question.source),
        str(question.target),
        question.what,
        str(question.expected),
        result.observed,
        f"{result.milliseconds:.0f}",
        question.because,
    )


def _disagreements(matrix: Matrix) -> Iterator[str]:
    for result in matrix.disagreements:
        question = result.question
        yield f"\nWRONG: {question.source} to {question.target} {question.what}"
        yield f"  expected {question.expected}: {question.because}"
        said = f', which said "{result.answer}"' if result.answer else ""
        yield f"  observed {result.observed}{said}"
        yield f"  lab explain {question.source} {question.target}{f':{question.port}' if question.port else ''}"


def _names(names: Sequence[NameResult], every: bool) -> Iterator[str]:
    if not names:
        return
    shown = [n for n in names if every or not n.agrees or n.expected is not Verdict.no]
    yield "\nNames (each container asked its engine for a name that nobody has)"
    yield from table(
        [
            (
                "ok" if n.agrees else "WRONG",
                str(n.source),
                str(n.expected),
                n.observed,
                n.answer or "no answer",
                f"{n.milliseconds:.0f}",
                n.because,
            )
            for n in shown
        ],
        head=("", "from", "expected", "observed", "answer", "ms", "because"),
    )
    if closed := len(names) - len(shown):
        yield f"  and {closed} containers that may not ask, none of which was answered (--all lists them)"
    for wrong in (n for n in names if not n.agrees):
        yield f"  lab explain {wrong.source} names"


def _routes(routes: Sequence[RouteResult]) -> Iterator[str]:
    if not routes:
        return
    rows = [
        (
            "ok" if route.ok else "WRONG",
            route.url,
            route.audience,
            route.expected,
            str(route.status) if route.status else "no answer",
            f"{route.milliseconds:.0f}",
        )
        for route in routes
    ]
    yield "\nThrough the ingress (HTTPS)"
    yield from table(rows, head=("", "url", "audience", "service", "status", "ms"))
    yield from _certificates(routes)


def _entry_points(results: Sequence[EntryPointResult]) -> Iterator[str]:
    if not results:
        return
    rows = [
        ("ok" if r.ok else "WRONG", r.audience, str(r.port), r.asked, r.expected, r.observed) for r in results
    ]
    yield "\nWhat the ingress refuses"
    yield from table(rows, head=("", "audience", "port", "asked", "expected", "observed"))


def _certificates(routes: Sequence[RouteResult]) -> Iterator[str]:
    for reason in sorted({route.distrust for route in routes if route.distrust}):
        found = [route for route in routes if route.distrust == reason]
        hosts = ", ".join(dict.fromkeys(route.host for route in found))
        yield f"  WRONG: {len(found)} certificates are not trusted ({hosts}): {reason}"
        if any(route.issuer == "itself" for route in found):
            yield "    Traefik signed them itself, because no authority did"
    trusted = [(route.days_left, route.issuer) for route in routes if route.days_left is not None]
    for issuer in sorted({issuer for _, issuer in trusted}):
        days = min(days for days, found in trusted if found == issuer)
        count = sum(found == issuer for _, found in trusted)
        yield f"  {count} certificates verified, chain and name: signed by {issuer}, {days} days left"
    if any(route.issuer == "itself" and not route.distrust for route in routes):
        yield "  Traefik shows a certificate that it signed itself; it is not known whom to trust"


def _refusal(refusal: Refusal | None) -> Iterator[str]:
    if refusal is not None:
        yield f"  The last try to get a certificate failed at {refusal.when}: {refusal.cause}"
        yield f"    said: {refusal.said}"
        yield f"    repair: {refusal.repair}"


def _sentences(sentences: Sequence[Sentence]) -> Iterator[str]:
    if not sentences:
        return
    yield "\nSentences of the lab file (expect)"
    rows = [
        (
            "WRONG" if sentence.against else ("ok" if sentence.probed else "-"),
            sentence.text,
            f"{sentence.probed} probes" if sentence.probed else "nothing here can be probed",
        )
        for sentence in sentences
    ]
    yield from table(rows)


def _summary(observed: Observed) -> str:
    if not observed.probed:
        return "Nothing was probed: network and engine are simulated here, so there is nothing to observe."
    wrong = observed.wrong
    verdict = "everything is as expected" if not wrong else f"{wrong} DISAGREE with the plan"
    unknown = sum(1 for r in observed.probed if r.question.expected is Verdict.unknown)
    told = f" Of {unknown} the proof could not tell; what was seen is above." if unknown else ""
    return (
        f"{len(observed.probed)} pairs, {len(observed.names)} names and {len(observed.routes)} routes probed in "
        f"{observed.seconds:.1f} s: {verdict}.{told}"
    )


def verify_data(observed: Observed) -> dict[str, object]:
    """What was seen, as JSON."""
    return {
        "version": 4,
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
        "refusal": None if observed.refusal is None else dict(observed.refusal.__dict__),
        "entry_points": [result.__dict__ for result in observed.entry_points],
        "expectations": [
            {"sentence": s.text, "probes": s.probed, "against": len(s.against)} for s in observed.expectations
        ],
        "engine_facts": [fact.__dict__ for fact in observed.facts],
        "missing": list(observed.missing),
        "stand_ins": list(observed.stand_ins),
    }
