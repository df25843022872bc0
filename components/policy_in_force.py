"""The policy that is in force at Tailscale, asked for before anything is created.

A policy file is edited in Tailscale's console as well, and the provider would overwrite
that without a word: a preview of its resource makes no request, and an update is not
conditional. So the program asks the provider's own data source, in previews too, and
stops with the difference where the policy is neither a new tailnet's nor one that this
lab wrote (`lab.render.policy_seal`). The lab file may name the one policy that may go.
"""

import pulumi
import pulumi_tailscale as tailscale

from components.providers import Providers
from components.refusals import Refused, asked
from lab.errors import Issue, LabError
from lab.plan.records import LabPlan, TailnetPlan
from lab.render.policy_seal import CurrentPolicy, difference, fingerprint, origin, writer
from lab.render.tailnet import policy


def may_overwrite(plan: LabPlan, providers: Providers) -> bool:
    """Whether the policy in force is this lab's to overwrite; no where the service shall only replace its default.

    Raises:
        LabError: it is somebody else's, or cannot be read.
    """
    tailnet = plan.tailnet
    if tailnet is None or not tailnet.managed:
        return False
    current = _in_force(providers, plan.connections["tailscale"])
    whose = origin(current, tailnet.environment)
    if whose == "foreign" and fingerprint(current.text) != tailnet.overwrite:
        raise LabError([_refusal(tailnet, current)])
    return whose != "pristine"


def _in_force(providers: Providers, url: str) -> CurrentPolicy:
    options = pulumi.InvokeOptions(provider=providers.tailscale)
    try:
        found = asked(lambda: tailscale.get_acl(opts=options))
    except Refused as refusal:
        raise LabError(
            [
                Issue(
                    path="lab.tailnet",
                    problem=f"the policy in force at {url} cannot be read: {refusal}",
                    repair="let the secret tailscale-key be one that may read and write the policy file "
                    "(scope policy_file), or take tailnet-policy out of owns",
                )
            ]
        ) from None
    return CurrentPolicy(text=found.hujson, document=found.json)


def _refusal(tailnet: TailnetPlan, current: CurrentPolicy) -> Issue:
    lines = difference(current, policy(tailnet))
    shown = "".join(f"\n        {line}" for line in lines)
    return Issue(
        path="lab.tailnet",
        problem=f"the policy in force at Tailscale is not this lab's ({writer(current, tailnet.environment)}); "
        f"an update would change it so:{shown}",
        repair="move what is worth keeping into the lab file, then let exactly this policy be overwritten, by "
        "`pulumi up --refresh` (without it Pulumi sees no difference) and "
        f'tailnet: {{overwrite: "{fingerprint(current.text)}"}}; or take tailnet-policy out of owns',
    )
