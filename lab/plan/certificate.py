"""The certificate of the ingress: which names it covers, and which it does not."""

from lab.names import owned_comment
from lab.plan.draft import Draft
from lab.plan.records import CertificatePlan, DnsRecordPlan
from lab.plan.zones import zone_of

_AUTHORITY = "letsencrypt.org"
"""The CAA identity of both Let's Encrypt directories, staging included."""


def covers(name: str, host: str) -> bool:
    """Whether a certificate's name covers a host: equal, or a wildcard for exactly one label (RFC 6125, 6.4.3)."""
    if name.startswith("*."):
        label, _, rest = host.partition(".")
        return bool(label) and rest == name[2:]
    return name == host


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
    names = certificate_names(draft)
    return CertificatePlan(
        names=names,
        dns=certificate.dns,
        ca=certificate.ca,
        email=certificate.email,
        caa=_caa(draft, names) if draft.config.dns.provider == "cloudflare" else (),
    )


def _caa(draft: Draft, names: tuple[str, ...]) -> tuple[DnsRecordPlan, ...]:
    """For each base name, in the zone that holds it: who may sign for it, and who for everything below it."""
    comment = owned_comment(draft.environment, "who may sign")
    return tuple(
        DnsRecordPlan(
            name=base,
            zone=zone_of(draft, base),
            type="CAA",
            content=f"{tag} {_AUTHORITY}",
            comment=comment,
        )
        for base in sorted({name.removeprefix("*.") for name in names})
        for tag in ("issue", "issuewild")
    )
