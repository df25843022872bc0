"""The resolver's files, for the stack that runs it: rendered here, so that no record has to hold them."""

from dataclasses import replace

from lab.plan.records import FilePlan, ResolverPlan, StackPlan
from lab.render.resolver import resolver_files


def with_resolver_files(stack: StackPlan, resolver: ResolverPlan | None) -> StackPlan:
    """The stack as it is, or with the files of the one service in it that is the lab's resolver."""
    if resolver is None or resolver.endpoint not in {service.endpoint for service in stack.services}:
        return stack
    files = tuple(FilePlan(path=path, content=text) for path, text in resolver_files(resolver).items())
    services = tuple(
        replace(service, files=(*service.files, *files)) if service.endpoint == resolver.endpoint else service
        for service in stack.services
    )
    return replace(stack, services=services)
