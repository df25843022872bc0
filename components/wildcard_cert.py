"""What a wildcard certificate needs outside Traefik: who may sign, and a way to prove.

Owns the CAA records that name the authority for each base name of the certificate (the
only authority that may then sign for it), and hands on the DNS token once they exist,
so that nobody asks the authority earlier. The token is made beforehand, limited to the
zones of the names; where the certificate says so it is minted here, with a credential
that can mint any. Traefik's resolver asks for the certificate and renews it, so no
private key passes through Pulumi.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from components.cloudflare_records import create_records, zone_ids
from components.minted_token import mint
from lab.plan.records import CertificatePlan


@dataclass(frozen=True, kw_only=True)
class WildcardCertArgs:
    """What is covered, and the token that proves it."""

    certificate: CertificatePlan
    dns_token: pulumi.Input[str] | None = None
    """A ready Cloudflare token for the zones of the names: Zone Read and DNS Edit."""
    maker: pulumi.ProviderResource | None = None
    """Cloudflare with a credential that may make tokens, where `certificate.mint` wants one made instead."""


class WildcardCert(pulumi.ComponentResource):
    """Permission to sign, and the means to answer the challenge."""

    names: pulumi.Output[Sequence[str]]
    dns_token: pulumi.Output[str]
    """The token, secret, known once the authority is allowed to sign."""

    def __init__(self, name: str, args: WildcardCertArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("homelab:index:WildcardCert", name, {}, opts)
        certificate = args.certificate
        zones = zone_ids(self, certificate.zones)
        records = create_records(self, name, certificate.caa, zones)
        allowed = pulumi.Output.all(*(record.id for record in records))
        if certificate.mint is not None and args.maker is not None:
            token = mint(self, name, certificate.mint, zones, args.maker)
        elif certificate.mint is None and args.dns_token is not None:
            token = pulumi.Output.secret(args.dns_token)
        else:
            raise ValueError(f"{name}: {_missing(certificate)}")
        self.names = pulumi.Output.from_input(list(certificate.names))
        self.dns_token = pulumi.Output.all(token, allowed).apply(lambda known: str(known[0]))
        self.register_outputs({"names": self.names, "dns_token": self.dns_token})


def _missing(certificate: CertificatePlan) -> str:
    if certificate.mint is None:
        return "a challenge is answered with a DNS token, and none was given"
    return "a token is to be minted, and no provider with the credential for it was given"
