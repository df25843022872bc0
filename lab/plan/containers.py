"""Stacks of a plan: every service with its networks, files, volumes and limits.

Secrets reach a container as files below `/run/homelab/secrets`, because `inspect` shows
variables to everyone who may list containers, and does not show files.
"""

from lab.config.stacks import ServiceConfig, StackConfig
from lab.config.tailnet import SubnetRouterConfig
from lab.flows import Endpoint
from lab.names import join, tailnet_tag
from lab.plan.docker_proxies import consumer_of, filter_of, proxy_of
from lab.plan.draft import Draft
from lab.plan.hosts import known_host
from lab.plan.needs import check_needs
from lab.plan.published_ports import published_ports
from lab.plan.records import (
    DockerHostPlan,
    FilePlan,
    HealthPlan,
    NetworkPlan,
    PublishedPort,
    SecretFilePlan,
    SecretRef,
    ServicePlan,
    StackPlan,
    SubnetRouterPlan,
    VolumePlan,
)
from lab.plan.sign_in import sign_in_environment
from lab.plan.wires import Wiring

_MIB = 2**20
CONFIGURATION = "/run/homelab"
"""Where volumes with files and secrets are mounted; everything below it may be written before a start."""
FILES = f"{CONFIGURATION}/files"
SECRETS = f"{CONFIGURATION}/secrets"
GUARD_STACK = "guard"
"""The name under which the guards of Docker hosts appear among services; no stack may have it."""
TAILSCALE_KEY_VARIABLE = "TS_AUTHKEY"


def service_endpoint(member: str) -> Endpoint:
    """The endpoint of `stack/service`."""
    return Endpoint("service", member)


def plan_stacks(draft: Draft, hosts: dict[str, DockerHostPlan], wiring: Wiring) -> tuple[StackPlan, ...]:
    """Every stack whose services are containers of their own."""
    published = published_ports(draft, hosts)
    networks: dict[str, list[NetworkPlan]] = {}
    for key in sorted(wiring.networks):
        networks.setdefault(_owner_of(wiring, key), []).append(wiring.networks[key])
    plans = []
    _check_names(draft)
    for name, stack in sorted(draft.config.stacks.items()):
        known_host(draft, hosts, stack.host, f"stacks.{name}.host")
        check_needs(draft, name, stack)
        _check_content(draft, name, stack)
        if stack.tailscale is not None:
            continue
        services = [
            _service(draft, name, service_name, service, wiring, published)
            for service_name, service in sorted(stack.services.items())
        ]
        plans.append(
            StackPlan(
                name=name,
                host=stack.host,
                networks=tuple(networks.get(name, ())),
                services=tuple(services),
                description=stack.description,
                managed=stack.manage == "yes",
            )
        )
    return tuple(plans)


def _check_content(draft: Draft, name: str, stack: StackConfig) -> None:
    if stack.tailscale is None and not stack.services:
        draft.refuse(f"stacks.{name}", "the stack has no services", "add one, or remove the stack")
    for service_name, service in stack.services.items():
        for path in service.files:
            if service.read_only and not path.startswith(f"{CONFIGURATION}/"):
                draft.refuse(
                    f"stacks.{name}.services.{service_name}.files",
                    f"{path} cannot be put into a container whose root file system is read-only",
                    f"choose a path below {FILES}, which is a volume, or leave read-only out",
                )


def _check_names(draft: Draft) -> None:
    """Stack a with service b-c and stack a-b with service c would be one resource to the engine."""
    owners: dict[str, str] = {}
    if GUARD_STACK in draft.config.stacks:
        draft.refuse(
            f"stacks.{GUARD_STACK}",
            "this is the name of the packet filters of Docker hosts",
            "rename the stack",
        )
    for stack_name, stack in sorted(draft.config.stacks.items()):
        for name in sorted(stack.services):
            joined = join(stack.host, stack_name, name)
            other = owners.setdefault(joined, f"{stack_name}/{name}")
            if other != f"{stack_name}/{name}":
                draft.refuse(
                    f"stacks.{stack_name}.services.{name}",
                    f"{stack_name}/{name} and {other} would both be called {joined}",
                    "rename one of them",
                )


def _owner_of(wiring: Wiring, key: str) -> str:
    """The stack that creates a network: a link is created by the stack that needs it."""
    wire = wiring.wires[key]
    if wire.pool == "edge":
        return ""
    return wire.path.split(".")[1]


def _service(
    draft: Draft,
    stack: str,
    name: str,
    service: ServiceConfig,
    wiring: Wiring,
    published: dict[str, list[PublishedPort]],
) -> ServicePlan:
    member = f"{stack}/{name}"
    _check_docker_access(draft, stack, name, service)
    secret_files = tuple(
        SecretFilePlan(
            variable=variable,
            path=f"{SECRETS}/{variable}",
            secret=SecretRef(use.secret),
            form=use.form,
        )
        for variable, use in sorted(service.secrets.items())
    )
    return ServicePlan(
        name=name,
        image=service.image,
        attachments=tuple(sorted(wiring.attachments.get(member, ()), key=lambda a: a.network)),
        endpoint=service_endpoint(member),
        listens=tuple(sorted(service.listens)),
        speaks_http=bool(service.all_routes),
        environment=dict(
            sorted(
                {
                    **sign_in_environment(draft, member, service),
                    **service.environment,
                    **{f.variable: f.path for f in secret_files},
                }.items()
            )
        ),
        secret_files=secret_files,
        files=tuple(FilePlan(path=path, content=content) for path, content in sorted(service.files.items())),
        volumes=tuple(
            VolumePlan(name=volume, mount=mount, protect=service.protect)
            for volume, mount in sorted(service.volumes.items())
        ),
        binds=dict(sorted(service.binds.items())),
        command=service.command,
        user=service.user,
        capabilities=tuple(sorted(service.capabilities)),
        read_only=service.read_only,
        tmpfs=service.tmpfs,
        memory_mib=service.memory // _MIB if service.memory else None,
        cpus=service.cpus,
        health=HealthPlan(**service.health.model_dump()) if service.health else None,
        published=tuple(published.get(member, ())),
        privileged=service.privileged,
        host_network=service.host_network,
        host_processes=service.host_processes,
        docker_socket=service.docker_socket,
        docker_rights=service.docker_api.rights if service.docker_api else (),
        docker_proxy=proxy_of(service, stack, name),
        docker_filter=filter_of(stack, draft.config.stacks[stack], name),
        stop_grace=service.stop_grace,
        description=service.description,
    )


def _check_docker_access(draft: Draft, stack: str, name: str, service: ServiceConfig) -> None:
    path = f"stacks.{stack}.services.{name}"
    if service.docker_socket and consumer_of(draft.config.stacks[stack], name) is None:
        draft.warn(
            f"{path}.docker-socket",
            f"service {stack}/{name} holds the raw Docker socket, which is root on the host",
            "let it ask a proxy: docker-api: {rights: […]}",
        )


def plan_subnet_routers(
    draft: Draft, hosts: dict[str, DockerHostPlan], wiring: Wiring, advertised: dict[str, tuple[str, ...]]
) -> tuple[SubnetRouterPlan, ...]:
    """Every stack that is a Tailscale subnet router."""
    routers = []
    for name, stack in sorted(draft.config.stacks.items()):
        key = f"{stack.host}/out-{name}-router"
        if stack.tailscale is None or stack.host not in hosts or key not in wiring.networks:
            continue
        if stack.tailscale.image is None:
            draft.refuse(
                f"stacks.{name}.tailscale.image", "a subnet router needs an image by digest", "add image"
            )
            continue
        routers.append(
            SubnetRouterPlan(
                name=name,
                host=stack.host,
                service=_router_service(draft, name, stack.tailscale, wiring, advertised[f"stacks.{name}"]),
                network=wiring.networks[key],
                advertises=advertised[f"stacks.{name}"],
                tag=tailnet_tag("stack", name, draft.environment),
                managed=stack.manage == "yes",
            )
        )
    return tuple(routers)


def _router_service(
    draft: Draft, name: str, router: SubnetRouterConfig, wiring: Wiring, routes: tuple[str, ...]
) -> ServicePlan:
    key = f"{SECRETS}/tailscale-key"
    return ServicePlan(
        name="router",
        image=router.image or "",
        attachments=tuple(wiring.attachments.get(f"{name}/router", ())),
        endpoint=service_endpoint(f"{name}/router"),
        environment={
            "TS_HOSTNAME": f"{draft.environment}-{name}",
            "TS_ROUTES": ",".join(routes),
            "TS_STATE_DIR": "/var/lib/tailscale",
            "TS_AUTH_ONCE": "true",
            "TS_USERSPACE": "false",
            TAILSCALE_KEY_VARIABLE: f"file:{key}",
        },
        secret_files=(
            SecretFilePlan(
                variable=TAILSCALE_KEY_VARIABLE, path=key, secret=SecretRef("tailscale-router-key")
            ),
        ),
        volumes=(VolumePlan(name="state", mount="/var/lib/tailscale"),),
        devices=("/dev/net/tun",),
        capabilities=("CAP_NET_ADMIN", "CAP_NET_RAW"),
        description="Tailscale subnet router",
    )
