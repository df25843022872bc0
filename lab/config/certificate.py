"""The certificate of the ingress: what it covers and who signs it."""

from typing import Literal

from pydantic import Field

from lab.config.strict import Part
from lab.config.values import HostName


class CertificateConfig(Part):
    """The certificate of the ingress."""

    names: tuple[HostName, ...] = Field(min_length=1)
    """What it covers; a wildcard covers one level (`*.a` does not cover `x.b.a`)."""
    dns: Literal["cloudflare"] = "cloudflare"
    """Where the DNS-01 challenge is answered; a wildcard cannot be had otherwise."""
    ca: Literal["letsencrypt", "letsencrypt-staging"] = "letsencrypt-staging"
    """Staging has no rate limit that hurts; browsers trust only the other."""
    email: str = ""
    """Where the authority writes to."""
