"""A proxy of the Docker API for each service that asks it: a service beside it, which nobody has to declare.

The proxy alone mounts the socket, and shares one network with the one service that asks
it. Rights that are root on the host are refused, unless the lab file accepts that the
service has its host.
"""

from collections.abc import Iterator

from lab.config.stacks import DockerApiConfig, ServiceConfig, StackConfig
from lab.docker_api import ROOT, root_calls
from lab.flows import Endpoint, Target
from lab.plan.draft import Draft
from lab.plan.endpoints import expand
from lab.plan.needs import need_targets
from lab.plan.records import DockerFilterPlan

CETUSGUARD = (
    "docker.io/hectorm/cetusguard:v1.1.2"
    "@sha256:692496ba976990a14416cc5bed844a72df6a4d75d677932c7d75934492312ef3"
)
"""The proxy where a lab names no image of its own."""
PORT = 2375
_SUFFIX = "-docker-api"


def proxy_of(service: ServiceConfig, stack: str, name: str) -> str | None:
    """The proxy, as `stack/service`, through which a service asks the Docker API; None for one that does not."""
    return f"{stack}/{name}{_SUFFIX}" if service.docker_api is not None else None


def consumer_of(stack: StackConfig, name: str) -> str | None:
    """The service of a stack whose proxy another one is; None for one that is no proxy."""
    consumer = name.removesuffix(_SUFFIX)
    service = stack.services.get(consumer)
    asks = consumer != name and service is not None and service.docker_api is not None
    return consumer if asks else None


def filter_of(stack_name: str, stack: StackConfig, name: str) -> DockerFilterPlan | None:
    """What a service lets through to the Docker API, if it is a proxy."""
    consumer = consumer_of(stack, name)
    api = stack.services[consumer].docker_api if consumer is not None else None
    if api is None:
        return None
    return DockerFilterPlan(
        kind=api.proxy.kind, consumer=f"{stack_name}/{consumer}", rights=api.rights, port=PORT
    )


def add_proxies(draft: Draft) -> None:
    """Put the proxies into the declaration, so that every later step sees them as any other service."""
    _check_nobody_else_asks(draft)
    stacks = {name: _with_proxies(draft, name, stack) for name, stack in draft.config.stacks.items()}
    draft.config = draft.config.model_copy(update={"stacks": stacks})


def _with_proxies(draft: Draft, stack_name: str, stack: StackConfig) -> StackConfig:
    asking = {name: s.docker_api for name, s in stack.services.items() if s.docker_api is not None}
    if not asking:
        return stack
    services = dict(stack.services)
    for name, api in asking.items():
        path = f"stacks.{stack_name}.services.{name}"
        proxy = f"{name}{_SUFFIX}"
        if proxy in stack.services:
            draft.refuse(
                f"stacks.{stack_name}.services.{proxy}",
                f"this is the name of the proxy through which {stack_name}/{name} asks the Docker API",
                "rename it; if it is that proxy, remove it: it follows from docker-api",
            )
            continue
        if stack.services[name].host_network:
            draft.refuse(
                f"{path}.docker-api",
                f"{stack_name}/{name} shares the network of its host, so no network can be its proxy's and its own",
                "take host-network away, or docker-api",
            )
        _check_rights(draft, f"{stack_name}/{name}", stack.host, api, path)
        services[proxy] = _proxy(draft, f"{stack_name}/{name}", api, path)
        services[name] = _asking(stack.services[name], proxy)
    return stack.model_copy(update={"services": services})


def _check_nobody_else_asks(draft: Draft) -> None:
    """Refuse a need or a flow to a proxy: whoever reaches it has the rights of the service that it is for."""
    for path, target in _targets(draft):
        stack_name, _, name = target.endpoint.name.partition("/")
        stack = draft.config.stacks.get(stack_name)
        if target.endpoint.kind != "service" or stack is None or name in stack.services:
            continue
        if (consumer := consumer_of(stack, name)) is not None:
            draft.refuse(
                path,
                f"{target.endpoint} is the proxy of {stack_name}/{consumer} alone",
                "give whoever asks the Docker API a docker-api of its own",
            )


def _targets(draft: Draft) -> Iterator[tuple[str, Target]]:
    for index, flow in enumerate(draft.config.flows):
        yield from ((f"flows[{index}].to", target) for target in flow.to)
    for stack_name, stack in draft.config.stacks.items():
        for name, service in stack.services.items():
            path = f"stacks.{stack_name}.services.{name}.needs"
            yield from ((path, target) for target in need_targets(service, stack_name))


def _asking(service: ServiceConfig, proxy: str) -> ServiceConfig:
    """The service with the address of its proxy, under the name that every Docker client reads."""
    return service.model_copy(
        update={"environment": {"DOCKER_HOST": f"tcp://{proxy}:{PORT}", **service.environment}}
    )


def _proxy(draft: Draft, consumer: str, api: DockerApiConfig, path: str) -> ServiceConfig:
    image = api.proxy.image
    if image is None and api.proxy.kind != "cetusguard":
        draft.refuse(
            f"{path}.docker-api.proxy.image", f"no image of {api.proxy.kind} is known here", "add image"
        )
    return ServiceConfig.model_validate(
        {
            "image": image or CETUSGUARD,
            "listens": [PORT],
            "docker-socket": True,
            # Root owns the socket; the proxy keeps none of root's capabilities.
            "user": "0:0",
            "read-only": True,
            "memory": "64MiB",
            "description": f"lets {consumer} ask the Docker API for {', '.join(api.rights)}, and nothing else",
        }
    )


def _check_rights(draft: Draft, consumer: str, host: str, api: DockerApiConfig, path: str) -> None:
    if _has_its_host(draft, consumer, host):
        return
    kind = "guest" if host in draft.config.guests else "device"
    acceptance = f'{{from: ["service:{consumer}"], to: ["{kind}:{host}"], because: ""}}'
    for index, right in enumerate(api.rights):
        for call in root_calls([right]):
            draft.refuse(
                f"{path}.docker-api.rights[{index}]",
                f"{right} lets {consumer} call {call}, which {ROOT[call]}: that is root on {host}",
                f"leave {right} out, or put up with it under accept: {acceptance}",
            )


def _has_its_host(draft: Draft, consumer: str, host: str) -> bool:
    """Whether the lab file puts up with a service that has its host."""
    stack = consumer.partition("/")[0]
    service = {Endpoint("service", consumer), Endpoint("stack", stack)}
    machine = {Endpoint("guest", host), Endpoint("device", host)}
    return any(
        any(service & set(expand(draft, source)) for source in part.from_)
        and any(t.port is None and machine & set(expand(draft, t.endpoint)) for t in part.to)
        for part in draft.config.accept
    )
