"""What `lab verify` saw, as lines for a person."""

from collections.abc import Iterator, Sequence

from cli.observed import Observed, Sentence
from lab.isolation import Verdict
from lab.render.table import table
from probe.entry_points import EntryPointResult
from probe.matrix import Matrix, Result
from probe.names import NameResult
from probe.routes import RouteResult
from probe.signing import Refusal


def verify_text(observed: Observed, every: bool) -> Iterator[str]:
    """What was seen, as lines."""
    yield from _pairs(observed, every)
    yield from _disagreements(observed.matrix)
    yield from _names(observed.names, every)
    yield from _routes(observed.routes, observed.pinned)
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


def _routes(routes: Sequence[RouteResult], pinned: str) -> Iterator[str]:
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
    yield from _certificates(routes, pinned)


def _entry_points(results: Sequence[EntryPointResult]) -> Iterator[str]:
    if not results:
        return
    rows = [
        ("ok" if r.ok else "WRONG", r.audience, str(r.port), r.asked, r.expected, r.observed) for r in results
    ]
    yield "\nWhat the ingress refuses"
    yield from table(rows, head=("", "audience", "port", "asked", "expected", "observed"))


def _certificates(routes: Sequence[RouteResult], pinned: str) -> Iterator[str]:
    to_be = f"not as in the secret {pinned}, or not good" if pinned else "not trusted"
    verified = f"as in the secret {pinned}, and for the name" if pinned else "verified, chain and name"
    end = "; whether visitors trust it is not known here" if pinned else ""
    for reason in sorted({route.distrust for route in routes if route.distrust}):
        found = [route for route in routes if route.distrust == reason]
        hosts = ", ".join(dict.fromkeys(route.host for route in found))
        yield f"  WRONG: {len(found)} certificates are {to_be} ({hosts}): {reason}"
        if any(route.issuer == "itself" for route in found):
            yield "    Traefik signed them itself, because no authority did"
    trusted = [(route.days_left, route.issuer) for route in routes if route.days_left is not None]
    for issuer in sorted({issuer for _, issuer in trusted}):
        days = min(days for days, found in trusted if found == issuer)
        count = sum(found == issuer for _, found in trusted)
        yield f"  {count} certificates {verified}: signed by {issuer}, {days} days left{end}"
    if any(route.issuer == "itself" and not route.distrust for route in routes):
        yield "  Traefik shows a certificate that it signed itself; it is not known whom to trust"


def _refusal(refusal: Refusal | None) -> Iterator[str]:
    if refusal is not None:
        yield f"  The last try to get a certificate failed at {refusal.when}: {refusal.cause}"
        yield f"    said: {refusal.said}"
        yield f"    repair: {refusal.repair}"
        yield f"    next try: {refusal.again}"


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
