"""Findings about the certificate: what it costs in trust."""

from collections.abc import Iterator

from lab.isolation.findings.finding import Finding
from lab.isolation.proof import Proof


def certificate(proof: Proof) -> Iterator[Finding]:
    """A credential that is in Pulumi's hands and can make any token of its owner."""
    found = proof.plan.certificate
    if found is None or found.mint is None:
        return
    yield Finding(
        kind="mints-any-token",
        where="certificate.mint-token",
        problem=f"{found.mint.maker.name} can make any API token of its owner, not only the one for "
        f"{' and '.join(found.zones)}",
        consequence="whoever has the machine where pulumi runs, or its state and passphrase, has every zone and "
        "account of that owner",
        repair="remove mint-token: Traefik then gets cloudflare-token, made by hand with Zone Read and DNS Edit for "
        "these zones alone; or take a credential of a Cloudflare user who has nothing else",
    )
