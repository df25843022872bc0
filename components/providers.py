"""The explicit providers of a lab, one for each API that it uses.

An environment variable may say where an API or engine is reached
(`LAB_CONNECTION_PROXMOX`, `LAB_CONNECTION_DOCKER_1`), so that the same program runs
against a sandbox. `LAB_CONNECTION_DOCKER` is the pattern for all Docker hosts without a
variable of their own; `{name}` in it is the host's name. Docker's providers belong to
their hosts. Default providers are disabled: nothing may land where nobody said.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pulumi
import pulumi_proxmoxve
import pulumi_tailscale

from lab.names import environment_variable
from lab.plan.records import DockerHostPlan, LabPlan

PREFIX = "LAB_CONNECTION"


def with_overrides(plan: LabPlan, environment: Mapping[str, str]) -> LabPlan:
    """The plan with every connection as it is here."""
    connections = {
        name: environment.get(environment_variable(PREFIX, name)) or url
        for name, url in plan.connections.items()
    }
    hosts = tuple(replace(host, connection=_docker(host, environment)) for host in plan.docker_hosts)
    return replace(plan, connections=connections, docker_hosts=hosts)


def _docker(host: DockerHostPlan, environment: Mapping[str, str]) -> str:
    own = environment.get(environment_variable(PREFIX, host.name))
    pattern = environment.get(environment_variable(PREFIX, "docker"), "")
    return own or pattern.replace("{name}", host.name) or host.connection


@dataclass(frozen=True, kw_only=True)
class Providers:
    """The providers of a lab; None where it uses no such API."""

    proxmox: pulumi.ProviderResource | None = None
    cloudflare: pulumi.ProviderResource | None = None
    tailscale: pulumi.ProviderResource | None = None
    token_maker: pulumi.ProviderResource | None = None
    """Cloudflare again, with the credential that makes API tokens; no component but the certificate's gets it."""

    def options(self) -> pulumi.ResourceOptions:
        """The options with which a component gets one for each API."""
        given = (self.proxmox, self.cloudflare, self.tailscale)
        return pulumi.ResourceOptions(providers=[provider for provider in given if provider is not None])


def connect(plan: LabPlan, secrets: Mapping[str, pulumi.Input[str]]) -> Providers:
    """Register the providers that the plan's secrets are for."""
    where = plan.connections
    minted = plan.certificate.mint if plan.certificate is not None else None
    return Providers(
        proxmox=pulumi_proxmoxve.Provider(
            "proxmox", endpoint=where["proxmox"], api_token=secrets["proxmox-token"]
        )
        if "proxmox-token" in secrets
        else None,
        cloudflare=_cloudflare("cloudflare", where["cloudflare"], secrets["cloudflare-token"])
        if "cloudflare-token" in secrets
        else None,
        tailscale=pulumi_tailscale.Provider(
            "tailscale", base_url=where["tailscale"], api_key=secrets["tailscale-key"], tailnet="-"
        )
        if "tailscale-key" in secrets
        else None,
        token_maker=_cloudflare("cloudflare-tokens", where["cloudflare"], secrets[minted.maker.name])
        if minted is not None
        else None,
    )


def _cloudflare(name: str, base_url: str, token: pulumi.Input[str]) -> pulumi.ProviderResource:
    # The SDK takes a second and 110 MB to import: only a lab with public records pays for it.
    import pulumi_cloudflare as cloudflare

    return cloudflare.Provider(name, base_url=base_url, api_token=token)
