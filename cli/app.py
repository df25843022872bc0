"""The verbs of the command `lab`, each a few lines over the library."""

import json
from pathlib import Path
from typing import Annotated

import typer

from cli.arguments import FileOption, Format, FormatOption, LabOption, fail, lab_file, planned, told
from cli.check import check
from cli.proof import compromise, diff, explain, reach
from lab.ledger import ledger_path, read_ledger, write_ledger
from lab.plan import load_plan_and_ledger, pruned_ledger
from lab.render.table import table

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Plan, check and probe a home lab.",
    rich_markup_mode=None,
)
for verb in (check, reach, explain, compromise, diff):
    app.command()(verb)


@app.command()
def plan(
    lab: LabOption = "dev",
    file: FileOption = None,
    answer: FormatOption = Format.text,
    flows: Annotated[bool, typer.Option(help="List every permission too.")] = True,
) -> None:
    """Print the plan: addresses, networks, services, routes, names and who may talk to whom."""
    decided = planned(lab_file(lab, file))
    if answer is Format.json:
        from lab.render.data import plan_data

        print(json.dumps(plan_data(decided), indent=2))
        return
    from lab.render.report import plan_text

    print(plan_text(decided, flows=flows), end="")


@app.command()
def ledger(
    lab: LabOption = "dev",
    file: FileOption = None,
    write: Annotated[bool, typer.Option("--write", help="Record what was given out now.")] = False,
    drop: Annotated[list[str] | None, typer.Option("--drop", help="Free a record, KIND/KEY.")] = None,
    prune: Annotated[bool, typer.Option("--prune", help="Free every record whose owner is gone.")] = False,
) -> None:
    """Show what was given out, record what is new, or free what is not needed any more."""
    path = lab_file(lab, file)
    target = ledger_path(path)
    with told():
        if drop:
            write_ledger(target, read_ledger(target).without(drop))
            print(f"{target.name}: {_counted(len(drop))} dropped")
            return
        if prune:
            before, kept = read_ledger(target), pruned_ledger(path)
            write_ledger(target, kept)
            print(f"{target.name}: {_counted(len(before.names()) - len(kept.names()))} dropped")
            if not write:
                return
        decided, complete = load_plan_and_ledger(path)
        if write:
            write_ledger(target, complete)
            print(f"{target.name}: {_counted(len(complete.names()))}, {len(decided.unrecorded)} of them new")
            return
    rows = [
        (f"{kind}/{name}", str(value), "not recorded" if f"{kind}/{name}" in decided.unrecorded else "")
        for kind, records in complete.records.items()
        for name, value in sorted(records.items())
    ]
    print("\n".join(table(rows, head=("record", "value", ""))))


def _counted(records: int) -> str:
    return "1 record" if records == 1 else f"{records} records"


@app.command()
def schema() -> None:
    """Print the JSON Schema of a lab file, for editors."""
    from lab.config.schema import stack_file_schema

    print(json.dumps(stack_file_schema(), indent=2))


@app.command()
def reference() -> None:
    """Print the reference of the lab file as Markdown."""
    from lab.config.reference import reference as page

    print(page(), end="")


@app.command()
def bootstrap() -> None:
    """Print the cloud-init file that a node holds for its Docker hosts."""
    from lab.render.bootstrap import docker_host

    print(docker_host(), end="")


@app.command()
def render(
    folder: Annotated[
        Path, typer.Argument(help="Where the files are written, below a folder for each machine.")
    ],
    lab: LabOption = "dev",
    file: FileOption = None,
) -> None:
    """Write the files that a person puts in place: those of a resolver or sign-in that is not created here."""
    from lab.render.placed import files_by_hand

    files = files_by_hand(planned(lab_file(lab, file)))
    for name, text in files.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        print(target)
    if not files:
        print("nothing: every file of this lab reaches its place by itself")


@app.command()
def diagram(lab: LabOption = "dev", file: FileOption = None) -> None:
    """Print the lab as an SVG picture."""
    from lab.render.diagram import diagram_svg

    print(diagram_svg(planned(lab_file(lab, file))), end="")


@app.command()
def verify(
    lab: LabOption = "dev",
    file: FileOption = None,
    answer: FormatOption = Format.text,
    every: Annotated[
        bool, typer.Option("--all", help="List every pair, not only the ones worth reading.")
    ] = False,
    helpers: Annotated[
        bool,
        typer.Option(
            "--helpers",
            help="Probe Docker hosts on other machines: starts a small container beside each of their services, "
            "with its network and no rights, and removes it afterwards.",
        ),
    ] = False,
) -> None:
    """Probe every pair of the running lab and compare it with the plan."""
    from cli.verify import verify_lab

    plan = planned(lab_file(lab, file))
    raise typer.Exit(verify_lab(plan, as_json=answer is Format.json, every=every, helpers=helpers))


@app.command()
def recover(
    lab: LabOption = "dev",
    yes: Annotated[
        bool, typer.Option("--yes", help="Repair the state; else only say what is there.")
    ] = False,
) -> None:
    """Find what a killed `pulumi up` left half done, and put it into the state."""
    from cli.recover import RecoveryFailed, Stack
    from cli.recover import recover as repair

    try:
        raise typer.Exit(repair(planned(lab_file(lab, None)), Stack(lab), write=yes))
    except RecoveryFailed as error:
        fail(str(error), 1)


def main() -> None:
    """Run the command."""
    app(prog_name="lab")
