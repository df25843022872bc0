"""The certificate of the ingress: which names it covers, and which it does not."""

from lab.names import owned_comment
from lab.plan.draft import Draft
from lab.plan.records import CertificatePlan, DnsRecordPlan, MintPlan, PairPlan, SecretRef
from lab.plan.zones import zone_of

AUTHORITY = "letsencrypt.org"
"""Who signs, as CAA records name them (RFC 8659): both of Let's Encrypt's directories, staging included."""
ZONE_TOKEN = "cloudflare-token"
"""The secret with which the program reads the zones and writes their records."""


def certificate_names(draft: Draft) -> tuple[str, ...]:
    """The names of the certificate, each below the lab's domain unless it is whole already."""
    certificate = draft.config.certificate
    if certificate is None:
        return ()
    return tuple(
        name if "." in name.removeprefix("*.") else f"{name}.{draft.config.domain}"
        for name in certificate.names
    )


def plan_certificate(draft: Draft) -> CertificatePlan | None:
    """What the certificate covers, who signs it, and the public zones in which the challenge is answered."""
    certificate = draft.config.certificate
    if certificate is None:
        return None
    _refuse_what_nobody_could_sign(draft)
    names, pair = certificate_names(draft), certificate.pair
    return CertificatePlan(
        names=names,
        dns=certificate.dns,
        ca=certificate.ca,
        email=certificate.email,
        caa=_caa(draft, names) if draft.config.dns.provider == "cloudflare" and pair is None else (),
        mint=_mint(draft, certificate.mint_token),
        pair=PairPlan(certificate=SecretRef(pair.certificate), key=SecretRef(pair.key)) if pair else None,
    )


def _is_asked_for(draft: Draft) -> bool:
    """Whether a Traefik that is made here ends TLS for somebody, as `LabPlan.asked_certificate` says of the plan."""
    ingress = draft.config.ingress
    if ingress is None or ingress.manage == "observe":
        return False
    return ingress.tls == "own" or not set(ingress.audiences) <= {"internet"}


def _mint(draft: Draft, maker: str | None) -> MintPlan | None:
    if maker is None:
        return None
    if not _is_asked_for(draft):
        draft.warn(
            "certificate.mint-token",
            "no Traefik of this lab asks for a certificate, so no token is minted",
            "remove mint-token",
        )
        return None
    if maker == ZONE_TOKEN:
        draft.refuse(
            "certificate.mint-token",
            f"{ZONE_TOKEN} writes the records of every lab run and would then make any token as well",
            f"name another secret, such as {ZONE_TOKEN}-maker, for the credential that makes tokens",
        )
    return MintPlan(name=owned_comment(draft.environment, "DNS-01"), maker=SecretRef(maker))


def _caa(draft: Draft, names: tuple[str, ...]) -> tuple[DnsRecordPlan, ...]:
    """For each base name, in the zone that holds it: who may sign for it, and who for everything below it."""
    comment = owned_comment(draft.environment, "who may sign")
    return tuple(
        DnsRecordPlan(
            name=base,
            zone=zone_of(draft, base),
            type="CAA",
            content=f"{tag} {AUTHORITY}",
            comment=comment,
        )
        for base in sorted({name.removeprefix("*.") for name in names})
        for tag in ("issue", "issuewild")
    )


def _refuse_what_nobody_could_sign(draft: Draft) -> None:
    ingress = draft.config.ingress
    if ingress is None or ingress.manage == "observe":
        return
    pair = draft.config.certificate.pair if draft.config.certificate else None
    if not _is_asked_for(draft):
        draft.warn(
            "certificate",
            f"with ingress.tls: {ingress.tls} nobody here shows a certificate, so none is asked for",
            "remove certificate, or let Traefik terminate TLS itself with ingress.tls: own",
        )
    elif draft.config.dns.provider == "none" and pair is None:
        draft.refuse(
            "certificate.dns",
            "a wildcard is proven by DNS-01 alone (RFC 8555, 8.4; Let's Encrypt, challenge types), and with "
            "dns.provider: none nobody here writes the answer into the zone",
            "write dns: {provider: cloudflare} with the zone, or remove certificate: Traefik then signs its own",
        )
