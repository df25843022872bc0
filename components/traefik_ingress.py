"""Traefik: the only way in, configured by files and by nothing else.

Owns the front network, the edge slots, Traefik's container and its two files. The
static file is read once, so it replaces the container: that is so for a new audience or
redirect, a new port of a TCP or UDP route, and for the secrets that Traefik reads (lists of
users, authorities of targets, the bouncer's key). The dynamic file lies in a
volume of a fixed name that Traefik watches: adding a route rewrites the volume and
leaves Traefik, and every connection through it, alone. All slots are attached from the
start for the same reason. Refuses an ingress without a container of its own (one that
is only observed), and takes no Docker socket.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pulumi

from components.config_volume import ConfigVolume, ConfigVolumeArgs
from components.docker_host import DockerHost
from components.docker_networks import create_networks
from components.service_container import FILES_ROOT, ServiceContainer, ServiceContainerArgs
from lab.names import join
from lab.plan.records import CertificatePlan, FilePlan, IngressPlan, SecretFilePlan, SecretRef, ServicePlan
from lab.render.traefik import DYNAMIC_DIRECTORY, ROUTES_MOUNT, dynamic_configuration, static_configuration

STATIC_FILE = f"{FILES_ROOT}/files/traefik.yaml"
_TOKEN = SecretRef("dns-token")


@dataclass(frozen=True, kw_only=True)
class TraefikIngressArgs:
    """The ingress, and what it needs to obtain a certificate."""

    ingress: IngressPlan
    host: DockerHost
    certificate: CertificatePlan | None = None
    """What the resolver asks for, or a pair of secrets; without one Traefik serves what it signed itself."""
    dns_token: pulumi.Input[str] | None = None
    """From `WildcardCert`, with which the resolver answers the authority's challenge."""
    secrets: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)


class TraefikIngress(pulumi.ComponentResource):
    """The reverse proxy of the lab."""

    networks: Mapping[str, pulumi.Output[str]]
    """The front network and the slots; a routed service joins one of the slots."""
    container: pulumi.Output[str]

    def __init__(
        self, name: str, args: TraefikIngressArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("homelab:index:TraefikIngress", name, {}, args.host.options(opts))
        ingress, host = args.ingress, args.host
        if ingress.service is None or ingress.front is None:
            raise ValueError(f"{name}: an ingress that is only observed has no container to create")
        if args.certificate is not None and args.certificate.pair is None and args.dns_token is None:
            raise ValueError(f"{name}: a certificate is asked for with a DNS token, and none was given")
        container = join("ingress", ingress.service.name)
        token = {} if args.dns_token is None else {_TOKEN.name: args.dns_token}
        self.networks = create_networks(self, name, [ingress.front, *ingress.slots], host)
        routes = ConfigVolume(
            f"{name}-routes",
            ConfigVolumeArgs(
                host=host,
                volume=join(container, "routes"),
                mount=ROUTES_MOUNT,
                files={f"{DYNAMIC_DIRECTORY}/routes.yaml": dynamic_configuration(ingress, args.certificate)},
                watched=True,
            ),
            pulumi.ResourceOptions(parent=self),
        )
        traefik = ServiceContainer(
            f"{name}-{ingress.service.name}",
            ServiceContainerArgs(
                service=_with_files(ingress.service, args),
                host=host,
                container=container,
                networks=self.networks,
                secrets={**args.secrets, **token},
                watched={ROUTES_MOUNT: routes},
            ),
            pulumi.ResourceOptions(parent=self),
        )
        self.container = traefik.container
        self.register_outputs({"networks": self.networks, "container": self.container})


def _with_files(service: ServicePlan, args: TraefikIngressArgs) -> ServicePlan:
    """Traefik's record with its static file and, where it asks for a certificate, the DNS token as a file."""
    static = FilePlan(path=STATIC_FILE, content=static_configuration(args.ingress, args.certificate))
    token = SecretFilePlan(
        variable="CF_DNS_API_TOKEN_FILE", path=f"{FILES_ROOT}/secrets/{_TOKEN.name}", secret=_TOKEN
    )
    asks = args.certificate is not None and args.certificate.pair is None
    return replace(
        service,
        files=(*service.files, static),
        secret_files=(*service.secret_files, token) if asks else service.secret_files,
    )
