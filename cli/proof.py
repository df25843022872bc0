"""The verbs of the proof: who reaches whom, why, what a loss opens, and what a change does."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.arguments import (
    DIFFERENT,
    FileOption,
    LabOption,
    PageFormat,
    PageFormatOption,
    fail,
    lab_file,
    told,
)
from lab.config.load import environment_of, load
from lab.ledger import ledger_path, read_ledger
from lab.plan import load_plan, plan_with_ledger
from lab.plan.records import LabPlan

if TYPE_CHECKING:
    from lab.isolation import Proof
    from lab.render.reach.page import Page

# What a verb renders is loaded by the verb: `lab plan` and its like need none of it.

EveryOption = Annotated[bool, typer.Option("--all", help="List every pair, also what is closed.")]
LimitsOption = Annotated[
    bool, typer.Option("--limits", help="List everything that the proof does not model.")
]


def proven(path: Path, answer: PageFormat) -> "Proof":
    """The proof of a lab file, or its problems told."""
    from lab.isolation import prove

    with told(answer is PageFormat.json):
        return prove(load_plan(path))


def proven_alone(path: Path, answer: PageFormat) -> "Proof":
    """The proof of a lab file by itself: what is compared with another one is not checked against its neighbours,
    of which the other one may be the first."""
    from lab.isolation import prove

    with told(answer is PageFormat.json):
        config, ledger = load(path), read_ledger(ledger_path(path))
        return prove(plan_with_ledger(config, ledger, environment=environment_of(path))[0])


def show(answer: PageFormat, plan: LabPlan, page: "Page", data: dict[str, Any], *, limits: bool) -> None:
    """Print an answer in its format, with what the proof claims and does not."""
    from lab.render.reach.markdown import markdown
    from lab.render.reach.scope import scope_data, scope_page
    from lab.render.reach.text import text

    if answer is PageFormat.json:
        print(json.dumps({**data, **scope_data(plan)}, indent=2, ensure_ascii=False))
        return
    whole = [*page, *scope_page(plan, whole=limits)]
    print(markdown(whole) if answer is PageFormat.markdown else text(whole), end="")


def reach(
    source: Annotated[
        str | None, typer.Argument(metavar="[FROM]", help="An endpoint, such as vlan:iot.")
    ] = None,
    target: Annotated[
        str | None, typer.Argument(metavar="[TO]", help="An endpoint, with a port or without.")
    ] = None,
    lab: LabOption = "dev",
    file: FileOption = None,
    answer: PageFormatOption = PageFormat.text,
    every: EveryOption = False,
    limits: LimitsOption = False,
) -> None:
    """Say who reaches whom: in the whole lab, from one endpoint, or between two."""
    from lab.isolation.queries import Queries
    from lab.render.reach.matrix import pairs_page, reach_data, reach_page
    from lab.render.reach.selection import between, from_sources, whole_lab

    proof = proven(lab_file(lab, file), answer)
    with told(answer is PageFormat.json):
        queries = Queries(proof)
        if source is None:
            found = whole_lab(proof, every=every)
            page = reach_page(f"{proof.plan.environment}: who reaches whom", found)
        elif target is None:
            found = from_sources(proof, queries.source(source), every=every)
            page = reach_page(f"{proof.plan.environment}: what {source} reaches", found)
        else:
            found = between(proof, queries.pairs(queries.source(source), queries.target(target)))
            page = pairs_page(f"{proof.plan.environment}: whether {source} reaches {target}", found)
    show(answer, proof.plan, page, reach_data(proof.plan, found), limits=limits)


def explain(
    source: Annotated[str, typer.Argument(metavar="FROM", help="An endpoint, such as vlan:iot.")],
    target: Annotated[
        str,
        typer.Argument(
            metavar="TO[:PORT]",
            help="An endpoint; without a port, every known one. Or the word names: whether FROM may ask for names.",
        ),
    ],
    lab: LabOption = "dev",
    file: FileOption = None,
    answer: PageFormatOption = PageFormat.text,
    limits: LimitsOption = False,
) -> None:
    """Say why one endpoint reaches another, or does not: every way that was considered, leg by leg."""
    from lab.isolation.queries import NAMES, Queries
    from lab.render.reach.explanation import explain_data, explain_page, explanations
    from lab.render.reach.names import explained_names

    proof = proven(lab_file(lab, file), answer)
    with told(answer is PageFormat.json):
        queries = Queries(proof)
        if target == NAMES:
            page, data = explained_names(proof.plan, queries.names(source))
        else:
            asked = queries.pairs(queries.source(source), queries.target(target))
            found = explanations(proof, asked)
            page, data = explain_page(found), explain_data(proof.plan, found)
    show(answer, proof.plan, page, data, limits=limits)


def compromise(
    endpoint: Annotated[
        str | None,
        typer.Argument(metavar="[ENDPOINT]", help="Who is taken; without it, every service by its worth."),
    ] = None,
    lab: LabOption = "dev",
    file: FileOption = None,
    answer: PageFormatOption = PageFormat.text,
    limits: LimitsOption = False,
) -> None:
    """Say what follows if a service is taken: what it reaches, what it may do, what could follow."""
    from lab.isolation.queries import Queries
    from lab.render.reach.loss import loss_page, losses, losses_data, ranking_page

    proof = proven(lab_file(lab, file), answer)
    with told(answer is PageFormat.json):
        who = tuple(proof.reach.directory.containers) if endpoint is None else Queries(proof).taken(endpoint)
    found = losses(proof, who)
    if endpoint is None:
        page = ranking_page(proof.plan.environment, found)
    else:
        page = [block for loss in found for block in loss_page(loss)]
    show(answer, proof.plan, page, losses_data(proof.plan, found), limits=limits)


def diff(
    old: Annotated[Path | None, typer.Argument(metavar="[OLD]", help="A lab file.")] = None,
    new: Annotated[Path | None, typer.Argument(metavar="[NEW]", help="The lab file that it becomes.")] = None,
    deployed: Annotated[
        bool, typer.Option("--deployed", help="Compare with what is deployed, in place of OLD.")
    ] = False,
    lab: LabOption = "dev",
    answer: PageFormatOption = PageFormat.text,
    limits: LimitsOption = False,
) -> None:
    """Say which paths open and which close between two lab files, or since the last `pulumi up`."""
    from lab.isolation.difference import difference, open_paths, why_closed
    from lab.render.reach.changes import diff_data, diff_page

    if deployed and new is not None:
        fail("diff: with --deployed there is only one lab file to name\n      repair: leave out OLD")
    if not deployed and new is None:
        fail("diff: two lab files are compared\n      repair: name OLD and NEW, or write --deployed")
    path = (old if deployed else new) or lab_file(lab, None)
    if deployed:
        from cli.deployed import deployed_paths

        with told(answer is PageFormat.json):
            before = deployed_paths(path)
        name = "what is deployed"
    else:
        before = open_paths(proven_alone(Path(str(old)), answer))
        name = str(old)
    proof = proven(path, answer) if deployed else proven_alone(path, answer)
    found = difference(before, open_paths(proof), lambda key: why_closed(proof, key))
    page = diff_page(name, str(path), found)
    show(answer, proof.plan, page, diff_data(name, str(path), found), limits=limits)
    if found:
        raise typer.Exit(DIFFERENT)
