"""What a wildcard certificate needs outside Traefik: who may sign, and a way to prove.

Owns the CAA records that name the authority for each base name of the certificate (the
only authority that may then sign for it), and hands on the DNS token once they exist,
so that nobody asks the authority earlier. The token is made beforehand, limited to one
zone: minting it here would need a credential that can mint any. Traefik's resolver asks
for the certificate and renews it, so no private key passes through Pulumi.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from components.cloudflare_records import create_records
from lab.plan.records import CertificatePlan


@dataclass(frozen=True, kw_only=True)
class WildcardCertArgs:
    """What is covered, and the token that proves it."""

    certificate: CertificatePlan
    dns_token: pulumi.Input[str]
    """A Cloudflare token for this one zone: Zone Read and DNS Write."""


class WildcardCert(pulumi.ComponentResource):
    """Permission to sign, and the means to answer the challenge."""

    names: pulumi.Output[Sequence[str]]
    dns_token: pulumi.Output[str]
    """The token, secret, known once the authority is allowed to sign."""

    def __init__(self, name: str, args: WildcardCertArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("homelab:index:WildcardCert", name, {}, opts)
        certificate = args.certificate
        records = create_records(self, name, certificate.caa)
        allowed = pulumi.Output.all(*(record.id for record in records))
        token = pulumi.Output.secret(args.dns_token)
        self.names = pulumi.Output.from_input(list(certificate.names))
        self.dns_token = pulumi.Output.all(token, allowed).apply(lambda known: str(known[0]))
        self.register_outputs({"names": self.names, "dns_token": self.dns_token})
