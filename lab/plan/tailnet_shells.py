"""Tailscale SSH: who may open a shell on a machine that is in the tailnet itself, and as whom.

Such a session ends in Tailscale's own program at the machine's tailnet address: no
packet filter of the lab sees it, and no flow permits it. The policy alone decides, so
the declaration becomes a rule there, and the tests of the policy hold it.
"""

from lab.flows import Endpoint
from lab.names import did_you_mean
from lab.plan.draft import Draft
from lab.plan.endpoints import check_endpoint, expand
from lab.plan.records import SshRulePlan


def ssh_rules(draft: Draft, tags: dict[Endpoint, str]) -> tuple[SshRulePlan, ...]:
    """The declared rules.

    Args:
        draft: takes what is wrong with them.
        tags: the machines that are in the tailnet, with their tags.
    """
    tailnet = draft.config.tailnet
    rules = []
    for index, rule in enumerate(tailnet.ssh if tailnet else ()):
        path = f"tailnet.ssh[{index}]"
        known = tailnet.groups if tailnet else {}
        for group in rule.from_:
            if group not in known:
                draft.refuse(
                    f"{path}.from", f'there is no tailnet group "{group}"', did_you_mean(group, known)
                )
        for endpoint in rule.to:
            check_endpoint(draft, endpoint, f"{path}.to")
        machines = [member for endpoint in rule.to for member in expand(draft, endpoint)]
        for machine in machines:
            if machine not in tags:
                draft.refuse(
                    f"{path}.to",
                    f"{machine} is not in the tailnet itself, so Tailscale's SSH does not run there",
                    f"add {machine} to tailnet.members, or name a machine that is there",
                )
        rules.append(
            SshRulePlan(
                sources=tuple(f"group:{group}" for group in rule.from_),
                tags=tuple(dict.fromkeys(tags[machine] for machine in machines if machine in tags)),
                users=rule.as_,
                action=rule.mode,
            )
        )
    return tuple(rules)
