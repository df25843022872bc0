"""The certificate of the ingress: what it covers, and who signs it or where it comes from."""

from typing import Literal

from pydantic import Field, model_validator

from lab.config.strict import Part
from lab.config.values import HostName, Name


class PairConfig(Part):
    """A certificate that was signed elsewhere, and its private key: two secrets in PEM form."""

    certificate: Name
    """The secret with the certificate, followed by those of the authorities between it and the root."""
    key: Name
    """The secret with its private key, without a passphrase."""


class CertificateConfig(Part):
    """The certificate of the ingress."""

    names: tuple[HostName, ...] = Field(min_length=1)
    """What it covers; a wildcard covers one level (`*.a` does not cover `x.b.a`)."""
    dns: Literal["cloudflare"] = "cloudflare"
    """Where the DNS-01 challenge is answered; a wildcard cannot be had otherwise."""
    ca: Literal["letsencrypt", "letsencrypt-staging", "cloudflare-origin", "own"] = "letsencrypt-staging"
    """Who signs. Staging has no rate limit that hurts; browsers trust only the first. `cloudflare-origin` (trusted by
    Cloudflare's proxy alone) and `own` (any other authority) have signed already: see `pair`."""
    email: str = ""
    """Where the authority writes to."""
    mint_token: Name | None = None
    """The secret with a Cloudflare credential that may make API tokens (*API Tokens Write*): Traefik gets a token that
    is minted with it, for the zones of the names alone. Without it Traefik gets `cloudflare-token`."""
    pair: PairConfig | None = None
    """What `cloudflare-origin` or `own` signed. Nothing is asked for and nothing renews it."""

    @model_validator(mode="after")
    def _comes_from_one_place(self) -> "CertificateConfig":
        asked = self.ca.startswith("letsencrypt")
        if asked and self.pair is not None:
            raise ValueError(
                f"{self.ca} signs when Traefik asks, so there is no pair: remove pair, or write another ca"
            )
        if not asked and self.pair is None:
            raise ValueError(
                f"nobody here asks {self.ca} for a certificate: write pair with the secrets of one"
            )
        for unread in ("email", "dns", "mint_token"):
            if not asked and unread in self.model_fields_set:
                key = unread.replace("_", "-")
                raise ValueError(f"nothing is asked for with ca: {self.ca}, so nobody reads {key}: remove it")
        return self
