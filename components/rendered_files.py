"""Files that were rendered for a service, such as the resolver's: added here, so that no record has to hold them."""

from collections.abc import Mapping
from dataclasses import replace

from lab.flows import Endpoint
from lab.plan.records import FilePlan, ServicePlan, StackPlan


def with_files(stack: StackPlan, files: Mapping[Endpoint, Mapping[str, str]]) -> StackPlan:
    """The stack as it is, but for services of it that files were rendered for.

    Args:
        stack: the stack.
        files: the text of each file, by whose it is and its whole path there.
    """
    if not files.keys() & {service.endpoint for service in stack.services}:
        return stack
    return replace(stack, services=tuple(_given(s, files.get(s.endpoint, {})) for s in stack.services))


def _given(service: ServicePlan, files: Mapping[str, str]) -> ServicePlan:
    more = (FilePlan(path=path, content=text) for path, text in files.items())
    return replace(service, files=(*service.files, *more))
