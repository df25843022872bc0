"""The lab, read from top to bottom: load and plan, prove, connect, create, export.

All problems stop the program before the first resource is registered, as one list.
"""

import gc

gc.disable()  # Registration keeps nearly all that it allocates: without collection it is 2.5 times faster.

# ruff: noqa: E402
import os
from datetime import UTC, datetime
from pathlib import Path

import pulumi

from components import assembly as create
from components.deployed import deployed
from components.foreign_records import refuse_foreign_records
from components.key_pair import refuse_unfit_pair
from components.minted_token import refuse_unfit_maker
from components.policy_in_force import may_overwrite
from components.providers import connect, with_overrides
from components.reachability import refuse_violations, tell_difference
from components.scope import announce
from components.secrets import resolve_secrets
from lab.errors import LabError
from lab.isolation import prove
from lab.plan import load_plan

settings = pulumi.Config()
lab_file = Path(__file__).with_name(f"Pulumi.{pulumi.get_stack()}.yaml")
try:
    plan = with_overrides(load_plan(lab_file, settings.require_object("lab")), os.environ)
    proof = prove(plan)
    secrets = resolve_secrets(plan.secrets, settings, os.environ)
    refuse_unfit_pair(plan, settings, os.environ, datetime.now(UTC))
    announce(plan)
    refuse_violations(proof)
    providers = connect(plan, secrets)
    overwrite = may_overwrite(plan, providers)
    refuse_unfit_maker(plan, providers.token_maker)
    refuse_foreign_records(plan, providers.cloudflare)
except LabError as error:
    raise pulumi.RunError(str(error)) from None

tell_difference(proof)
segments = create.segments(plan, providers)
guests = create.guests(plan, providers, segments)
hosts = create.docker_hosts(plan, guests)
guards = create.guards(plan, hosts)
certificate = create.names(plan, providers, secrets)
create.tailnet(plan, providers, hosts, guards, overwrite=overwrite)
ingress = create.ingress(plan, hosts, guards, certificate, secrets)
create.stacks(plan, hosts, guards, ingress, secrets)

pulumi.export("lab", deployed(plan, proof))

gc.freeze()  # Without this, Python walks all modules once more at its exit: a third of a second.
