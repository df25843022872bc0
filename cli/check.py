"""The verb `check`: whether a lab can be planned, whether it is what it says, and what is unwelcome in it."""

from typing import Annotated

import typer

from cli.arguments import DIFFERENT, FileOption, LabOption, PageFormat, PageFormatOption, lab_file, told
from cli.connections import api_of
from cli.proof import LimitsOption, proven, show
from cli.secrets import secret, variable_of
from lab.isolation.preflight import MINT, TOKEN, Condition
from lab.isolation.verdict import Verdict
from lab.ledger import ledger_path
from lab.plan.certificate import ZONE_TOKEN
from lab.plan.records import LabPlan


def check(
    lab: LabOption = "dev",
    file: FileOption = None,
    answer: PageFormatOption = PageFormat.text,
    limits: LimitsOption = False,
    online: Annotated[
        bool,
        typer.Option(
            "--online", help="Also ask Cloudflare whether token and zone let the certificate be signed."
        ),
    ] = False,
) -> None:
    """Say whether the lab can be planned and keeps what it promises, and what is unwelcome in it."""
    from lab.isolation.acceptances import refuse_idle
    from lab.render.reach.checking import check_data, check_page, checked

    path = lab_file(lab, file)
    proof = proven(path, answer)
    with told(answer is PageFormat.json):
        refuse_idle(proof.plan.accepted, proof.idle_acceptances)
    found = checked(proof, _asked(proof.plan) if online else ())
    page = check_page(found, path.name, ledger_path(path).name)
    show(answer, proof.plan, page, check_data(found), limits=limits)
    if not found.fine:
        raise typer.Exit(DIFFERENT)


def _asked(plan: LabPlan) -> tuple[Condition, ...]:
    """What Cloudflare says about the certificate."""
    from probe.zone import minting_conditions, zone_conditions

    certificate = plan.asked_certificate
    if certificate is None:
        return ()
    api = api_of(plan, "cloudflare")
    token = secret(ZONE_TOKEN, plan.environment)
    zones = zone_conditions(api, token, certificate) if token is not None else (_unset(ZONE_TOKEN, TOKEN),)
    if certificate.mint is None:
        return zones
    name = certificate.mint.maker.name
    maker = secret(name, plan.environment)
    return (*zones, *(minting_conditions(api, maker) if maker is not None else (_unset(name, MINT),)))


def _unset(name: str, what: str) -> Condition:
    repair = f"run `pulumi config set --secret {name}`, or set {variable_of(name)}"
    reason = f"{name} is neither in the stack's configuration nor in the environment"
    return Condition(what=what, verdict=Verdict.no, reason=reason, repair=repair)
