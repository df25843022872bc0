"""Names as decided: the certificate, the public records, and the resolver inside."""

from dataclasses import dataclass
from typing import Literal

from lab.flows import Endpoint


@dataclass(frozen=True, kw_only=True)
class CertificatePlan:
    """What the ingress' certificate covers and who signs it."""

    names: tuple[str, ...]
    dns: str = "cloudflare"
    ca: Literal["letsencrypt", "letsencrypt-staging"] = "letsencrypt-staging"
    email: str = ""
    zone: str = ""
    resolvers: tuple[str, ...] = ("1.1.1.1:53", "9.9.9.9:53")
    """Where Traefik looks for its answer to the challenge: public ones, because a split horizon would hide it."""
    authority: str = "letsencrypt.org"
    """Who may sign, as CAA records name them (RFC 8659); both of Let's Encrypt's directories are one there."""


@dataclass(frozen=True, kw_only=True)
class DnsRecordPlan:
    """One public record."""

    name: str
    """The full name."""
    type: Literal["A", "AAAA", "CNAME", "CAA", "TXT"]
    content: str
    proxied: bool = False
    comment: str = ""


@dataclass(frozen=True, kw_only=True)
class DnsPlan:
    """Names: the public records, and the resolver inside."""

    provider: Literal["cloudflare", "none"] = "none"
    zone: str = ""
    records: tuple[DnsRecordPlan, ...] = ()
    internal_software: str | None = None
    internal_endpoint: Endpoint | None = None
    internal_zone: str | None = None
    forwards_to: tuple[str, ...] = ()
    forward_tls_name: str | None = None
    filters: bool = False
    managed: bool = True
