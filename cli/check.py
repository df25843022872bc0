"""The verb `check`: whether a lab can be planned, whether it is what it says, and what is unwelcome in it."""

import typer

from cli.arguments import DIFFERENT, FileOption, LabOption, PageFormat, PageFormatOption, lab_file, told
from cli.proof import LimitsOption, proven, show
from lab.ledger import ledger_path


def check(
    lab: LabOption = "dev",
    file: FileOption = None,
    answer: PageFormatOption = PageFormat.text,
    limits: LimitsOption = False,
) -> None:
    """Say whether the lab can be planned and keeps what it promises, and what is unwelcome in it."""
    from lab.isolation.acceptances import refuse_idle
    from lab.render.reach.checking import check_data, check_page, checked

    path = lab_file(lab, file)
    proof = proven(path, answer)
    with told(answer is PageFormat.json):
        refuse_idle(proof.plan.accepted, proof.idle_acceptances)
    found = checked(proof)
    page = check_page(found, path.name, ledger_path(path).name)
    show(answer, proof.plan, page, check_data(found), limits=limits)
    if not found.fine:
        raise typer.Exit(DIFFERENT)
