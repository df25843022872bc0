"""Names: public records, and the resolver inside."""

from typing import Literal

from lab.config.strict import Part
from lab.config.values import EndpointValue, HostName, WholeAddress, YesNo


class ForwarderConfig(Part):
    """Where an internal resolver sends what it does not know."""

    addresses: tuple[WholeAddress, ...] = ()
    """Its addresses."""
    tls_name: HostName | None = None
    """The name in its certificate, for DNS over TLS."""
    description: str = ""
    """Who runs it."""


class InternalDnsConfig(Part):
    """The resolver of the lab."""

    software: Literal["bind9", "adguard", "other"]
    """Which one."""
    endpoint: EndpointValue
    """Where it runs."""
    zone: HostName | None = None
    """The zone that it answers itself."""
    forward: ForwarderConfig | None = None
    """Where the rest goes."""
    filters: YesNo = False
    """Whether it refuses names of advertisers and malware."""


class DnsConfig(Part):
    """Names of the lab."""

    provider: Literal["cloudflare", "none"] = "none"
    """Who serves the public zone."""
    zone: HostName | None = None
    """The zone that holds the lab's domain; the domain itself when not given."""
    records: Literal["per-route", "wildcard", "none"] = "per-route"
    """One public record for each route, one for all, or none."""
    proxied: YesNo = False
    """Whether Cloudflare stands in front of the records of internet routes."""
    internal: InternalDnsConfig | None = None
    """The resolver inside."""
