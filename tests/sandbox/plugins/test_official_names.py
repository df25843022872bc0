"""Every property of the official types is described or refused by name: none is unknown to a stand-in."""

import inspect
from pkgutil import resolve_name

import pytest

from sandbox.plugins.launch import load
from sandbox.plugins.properties import Property

ARGUMENTS = {
    "docker:index/network:Network": "pulumi_docker.NetworkArgs",
    "docker:index/volume:Volume": "pulumi_docker.VolumeArgs",
    "docker:index/remoteImage:RemoteImage": "pulumi_docker.RemoteImageArgs",
    "docker:index/container:Container": "pulumi_docker.ContainerArgs",
    "cloudflare:index/dnsRecord:DnsRecord": "pulumi_cloudflare.DnsRecordArgs",
    "cloudflare:index/apiToken:ApiToken": "pulumi_cloudflare.ApiTokenArgs",
    "tailscale:index/acl:Acl": "pulumi_tailscale.AclArgs",
    "tailscale:index/tailnetKey:TailnetKey": "pulumi_tailscale.TailnetKeyArgs",
}
OBJECTS = {
    ("docker:index/network:Network", "ipamConfigs"): "pulumi_docker.NetworkIpamConfigArgs",
    ("docker:index/network:Network", "labels"): "pulumi_docker.NetworkLabelArgs",
    ("docker:index/container:Container", "networksAdvanced"): "pulumi_docker.ContainerNetworksAdvancedArgs",
    ("docker:index/container:Container", "mounts"): "pulumi_docker.ContainerMountArgs",
    ("docker:index/container:Container", "uploads"): "pulumi_docker.ContainerUploadArgs",
    ("docker:index/container:Container", "healthcheck"): "pulumi_docker.ContainerHealthcheckArgs",
    ("docker:index/container:Container", "capabilities"): "pulumi_docker.ContainerCapabilitiesArgs",
    ("docker:index/container:Container", "ports"): "pulumi_docker.ContainerPortArgs",
    ("docker:index/container:Container", "devices"): "pulumi_docker.ContainerDeviceArgs",
    ("docker:index/container:Container", "hosts"): "pulumi_docker.ContainerHostArgs",
    ("docker:index/container:Container", "labels"): "pulumi_docker.ContainerLabelArgs",
    ("cloudflare:index/dnsRecord:DnsRecord", "data"): "pulumi_cloudflare.DnsRecordDataArgs",
    ("cloudflare:index/apiToken:ApiToken", "policies"): "pulumi_cloudflare.ApiTokenPolicyArgs",
    ("cloudflare:index/apiToken:ApiToken", "condition"): "pulumi_cloudflare.ApiTokenConditionArgs",
}
PROVIDERS = {
    "docker": "pulumi_docker.provider.ProviderArgs",
    "cloudflare": "pulumi_cloudflare.provider.ProviderArgs",
    "tailscale": "pulumi_tailscale.provider.ProviderArgs",
}


def _official(arguments: str) -> set[str]:
    """The camelCase names that one of the SDK's argument classes takes; it is imported late, which takes a second."""
    known = inspect.signature(resolve_name(arguments).__init__).parameters
    parameters = [name for name in known if "self" not in name]
    words = (name.split("_") for name in parameters)
    return {first + "".join(word.capitalize() for word in rest) for first, *rest in words}


def _described(properties: tuple[Property, ...], unsupported: frozenset[str]) -> set[str]:
    return {item.name for item in properties} | unsupported


@pytest.mark.parametrize("token", sorted(ARGUMENTS))
def test_every_official_property_is_described_or_refused(token: str) -> None:
    """Nothing that the installed SDK can send falls through as an unknown name, and nothing is invented."""
    kind = load(token.partition(":")[0]).by_token[token]
    inputs = tuple(item for item in kind.properties if not item.output)
    assert _official(ARGUMENTS[token]) == _described(inputs, kind.unsupported)


@pytest.mark.parametrize(("token", "name"), sorted(OBJECTS))
def test_every_official_field_is_described_or_refused(token: str, name: str) -> None:
    """The same for the objects inside."""
    kind = load(token.partition(":")[0]).by_token[token]
    (item,) = [one for one in kind.properties if one.name == name]
    described = item.element or item
    assert _official(OBJECTS[token, name]) == _described(described.fields, described.unsupported)


@pytest.mark.parametrize("name", sorted(PROVIDERS))
def test_every_official_configuration_key_is_described_or_refused(name: str) -> None:
    """The same for the provider's configuration."""
    package = load(name)
    assert _official(PROVIDERS[name]) == _described(package.configuration, package.unsupported)
