"""The guard of a Docker host: the packet filter that lets through what a flow permits, and nothing else.

Owns one container on the host's own network that loads a rendered file with one `nft -f`
and looks after it. Creating it waits until exactly these rules are in force, so an
update fails where they are not, and whatever depends on this starts behind them. New
rules replace this container alone: the kernel keeps the old table until the new one is
loaded in its place, and no service, guest or network is touched. Deleting it leaves the
last table in force, which is the closed side.
"""

from dataclasses import dataclass, replace

import pulumi

from components.docker_host import DockerHost
from components.service_container import ServiceContainer, ServiceContainerArgs
from lab.plan.records import FilePlan, GuardPlan
from lab.render.guard import guard_text


@dataclass(frozen=True, kw_only=True)
class HostGuardArgs:
    """The rules, and the host that they guard."""

    guard: GuardPlan
    host: DockerHost


class HostGuard(pulumi.ComponentResource):
    """A packet filter in force."""

    container: pulumi.Output[str]

    def __init__(self, name: str, args: HostGuardArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("homelab:index:HostGuard", name, {}, args.host.options(opts))
        service = args.guard.service
        rules = FilePlan(path=args.guard.rules_file, content=guard_text(args.guard))
        loader = ServiceContainer(
            name,
            ServiceContainerArgs(
                service=replace(service, files=(*service.files, rules)),
                host=args.host,
                container=service.name,
                wait_until_healthy=True,
            ),
            pulumi.ResourceOptions(parent=self),
        )
        self.container = loader.container
        self.register_outputs({"container": self.container})
