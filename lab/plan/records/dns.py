"""Names as decided: the certificate, the public records, and the resolver inside."""

from dataclasses import dataclass
from typing import Literal

from lab.flows import Endpoint
from lab.plan.records.containers import SecretRef


@dataclass(frozen=True, kw_only=True)
class DnsRecordPlan:
    """One public record."""

    name: str
    """The full name."""
    zone: str
    """The zone that holds it."""
    type: Literal["A", "AAAA", "CNAME", "CAA", "TXT"]
    content: str
    """Of a CAA record its tag and its value, such as `issue letsencrypt.org`."""
    proxied: bool = False
    comment: str = ""


@dataclass(frozen=True, kw_only=True)
class PairPlan:
    """A certificate with its chain, and its private key."""

    certificate: SecretRef
    key: SecretRef


@dataclass(frozen=True, kw_only=True)
class MintPlan:
    """An API token that is made for Traefik alone."""

    name: str
    """What Cloudflare's list of tokens calls it."""
    maker: SecretRef
    """The credential that makes it, and can make any other token of its owner."""


@dataclass(frozen=True, kw_only=True)
class CertificatePlan:
    """What the ingress' certificate covers and who signs it."""

    names: tuple[str, ...]
    dns: str = "cloudflare"
    ca: Literal["letsencrypt", "letsencrypt-staging", "cloudflare-origin", "own"] = "letsencrypt-staging"
    email: str = ""
    resolvers: tuple[str, ...] = ("1.1.1.1:53", "9.9.9.9:53")
    """Where Traefik looks for its answer to the challenge: public ones, because a split horizon would hide it."""
    caa: tuple[DnsRecordPlan, ...] = ()
    """The records that name the one authority that may sign for each base name."""
    mint: MintPlan | None = None
    """The token with which the challenge is answered; None where that is the lab's own."""
    pair: PairPlan | None = None
    """Where it was signed elsewhere; None where an authority is asked."""

    @property
    def zones(self) -> tuple[str, ...]:
        """The public zones in which the challenge is answered."""
        return tuple(sorted({record.zone for record in self.caa}))


@dataclass(frozen=True, kw_only=True)
class NamePlan:
    """A name that the resolver inside answers with an address."""

    name: str
    """The full name."""
    address: str
    of: str
    """Whose it is: `guest:docker-1`, or `route to service:web/app`."""
    is_machine: bool = False
    """Whether the address is the machine's own, so that it leads back to this name."""


@dataclass(frozen=True, kw_only=True)
class ResolverPlan:
    """The resolver inside the lab."""

    software: Literal["bind9", "adguard", "other"]
    endpoint: Endpoint
    zone: str | None = None
    """The zone that it answers itself."""
    folder: str = ""
    """Where its rendered files belong; empty for software that is not configured from here."""
    name: str = ""
    """The full name of the machine that it is found at."""
    address: str = ""
    """The address that it is found at."""
    names: tuple[NamePlan, ...] = ()
    """What it answers itself; empty where nothing is rendered for it."""
    asked_from: tuple[str, ...] = ()
    """The subnets and addresses whose questions it answers."""
    forwards_to: tuple[str, ...] = ()
    forward_tls_name: str | None = None
    filters: bool = False


@dataclass(frozen=True, kw_only=True)
class DnsPlan:
    """Names: the public records, and the resolver inside."""

    provider: Literal["cloudflare", "none"] = "none"
    zones: tuple[str, ...] = ()
    """The public zones, that of the lab's domain first."""
    records: tuple[DnsRecordPlan, ...] = ()
    resolver: ResolverPlan | None = None
    managed: bool = True
