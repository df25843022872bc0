"""The files that other software of the lab reads, by whose they are: the resolver's, and the sign-in's.

Those of a service reach its container with it; those of a guest or a device, and of a service that is only observed,
are put in place by a person.
"""

from collections.abc import Mapping

from lab.flows import Endpoint
from lab.plan.records import LabPlan
from lab.plan.sign_in import ACCESS_CONTROL
from lab.render.authelia import access_control
from lab.render.resolver import resolver_files


def placed_files(plan: LabPlan) -> Mapping[Endpoint, Mapping[str, str]]:
    """Every such file by its owner and its whole path there."""
    found: dict[Endpoint, dict[str, str]] = {}
    resolver, ingress = plan.dns.resolver, plan.ingress
    if resolver is not None:
        found[resolver.endpoint] = resolver_files(resolver)
    if (
        ingress is not None
        and ingress.managed
        and ingress.auth_kind == "authelia"
        and ingress.auth is not None
    ):
        found[ingress.auth] = {
            **found.get(ingress.auth, {}),
            ACCESS_CONTROL: access_control(ingress, plan.domain),
        }
    return found


def files_by_hand(plan: LabPlan) -> dict[str, str]:
    """Every file that a person puts in place, by its machine and its place there, such as `dns/etc/bind/named.conf`.

    A service that is only observed is never changed here, so that its files are a person's too.
    """
    created = {service.endpoint for stack in plan.stacks if stack.managed for service in stack.services}
    return {
        f"{endpoint.name}{path}": text
        for endpoint, files in placed_files(plan).items()
        if endpoint not in created
        for path, text in files.items()
    }
