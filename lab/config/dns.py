"""Names: public records, and the resolver inside."""

from typing import Literal

from pydantic import Field

from lab.config.strict import Part
from lab.config.values import EndpointValue, HostName, WholeAddress, YesNo


class ForwarderConfig(Part):
    """Where an internal resolver sends what it does not know."""

    addresses: tuple[WholeAddress, ...] = ()
    """Its addresses."""
    tls_name: HostName | None = None
    """The name in its certificate, for DNS over TLS (BIND: 9.20 or newer)."""
    description: str = ""
    """Who runs it."""


class InternalDnsConfig(Part):
    """The resolver of the lab."""

    software: Literal["bind9", "adguard", "other"]
    """Which one; the files of `bind9` and `adguard` are rendered."""
    endpoint: EndpointValue
    """Where it runs. A service is given its files; those of a machine are written by `lab render`."""
    zone: HostName | None = None
    """The zone that it answers itself; the lab's domain when not given, nothing for `other`."""
    forward: ForwarderConfig | None = None
    """Where the rest goes."""
    filters: YesNo = False
    """Whether it refuses names of advertisers and malware."""


class DnsConfig(Part):
    """Names of the lab."""

    provider: Literal["cloudflare", "none"] = "none"
    """Who serves the public zones."""
    zone: HostName | None = None
    """The zone that holds the lab's domain; the domain itself when not given."""
    zones: tuple[HostName, ...] = ()
    """Further zones, for names elsewhere; a name goes to the longest zone that holds it."""
    records: Literal["per-route", "wildcard", "none"] = "per-route"
    """One public record for each route, one for all, or none but those that a route asks for itself."""
    mode: Literal["direct", "proxied", "tunnel"] | None = None
    """How records of internet routes lead here: to the address, through Cloudflare's proxy, or through its
    tunnel. With `tls: tunnel` at the ingress the tunnel, else direct. Records of other routes are direct."""
    address: WholeAddress | None = None
    """The address at which the internet finds the ingress; the ingress' own when not given."""
    tunnel: str | None = Field(default=None, pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
    """The id of the Cloudflare Tunnel, for `tunnel`."""
    internal: InternalDnsConfig | None = None
    """The resolver inside."""
