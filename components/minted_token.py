"""The API token that is minted for Traefik: its rights, its zones, and the order in which it is replaced.

One policy for exactly the zones of the challenge. Ids of zones come from a lookup of their own and not from
the records, which are deleted before they are replaced and would take the token with them. A token never gets
other rights: it is replaced, and the old one is revoked when everything that used it has the new one.

The credential is asked for before anything is registered: the token comes when much of the lab exists already.
"""

import json
from collections.abc import Iterable, Mapping

import pulumi

from components.refusals import Refused, asked
from lab.errors import Issue, LabError
from lab.names import join
from lab.plan.records import LabPlan, MintPlan

_DNS_WRITE = "4755a26eedb94da69e1066d98aa820be"
_ZONE_READ = "c8fed203ed3043cba015a93ad1616f1f"
_GROUPS = (_DNS_WRITE, _ZONE_READ)
"""What lego needs for DNS-01 (go-acme.github.io/lego/dns/cloudflare): Cloudflare's ids of its permission groups *DNS
Write* and *Zone Read* (`/user/tokens/permission_groups`; seen there and in its plugins' recordings, 2026). By id, as
the API gives them back. An id that Cloudflare did not know would fail the creation, see docs/decisions/0018."""
_ZONE = "com.cloudflare.api.account.zone"


class MakerRefused(LabError):
    """A credential with which no token can be made."""

    headline = "the credential that makes tokens has"


def refuse_unfit_maker(plan: LabPlan, maker: pulumi.ProviderResource | None) -> None:
    """Stop where a token shall be minted, and Cloudflare does not take the credential for it.

    Asked by a list that the right to make tokens opens, as does the right to read them (API description,
    `/user/tokens/permission_groups`); a credential with the latter alone fails at the token.

    Raises:
        MakerRefused: with Cloudflare's words.
    """
    minted = plan.certificate.mint if plan.certificate is not None else None
    if minted is None or maker is None:
        return
    import pulumi_cloudflare as cloudflare

    options = pulumi.InvokeOptions(provider=maker)
    try:
        asked(lambda: cloudflare.get_api_token_permission_groups_list(opts=options))
    except Refused as refusal:
        raise MakerRefused(
            [
                Issue(
                    path=minted.maker.name,
                    problem=f"Cloudflare does not let it make tokens: {refusal}",
                    repair=f"make one with User / API Tokens / Edit (dash.cloudflare.com, API tokens), and "
                    f"`pulumi config set --secret {minted.maker.name}`; or remove certificate.mint-token",
                )
            ]
        ) from None


def mint(
    parent: pulumi.ComponentResource,
    name: str,
    wanted: MintPlan,
    zones: Mapping[str, pulumi.Output[str]],
    maker: pulumi.ProviderResource,
) -> pulumi.Output[str]:
    """Create the token as a child of a component; gives its value, a secret.

    Args:
        parent: the component.
        name: its name, with which that of the token begins.
        wanted: what the token is called.
        zones: ids of the zones whose records it may write, by their names.
        maker: Cloudflare, with the credential that makes tokens.
    """
    import pulumi_cloudflare as cloudflare

    policy = cloudflare.ApiTokenPolicyArgs(
        effect="allow",
        permission_groups=[cloudflare.ApiTokenPolicyPermissionGroupArgs(id=group) for group in _GROUPS],
        resources=pulumi.Output.all(*(zones[zone] for zone in sorted(zones))).apply(_resources),
    )
    token = cloudflare.ApiToken(
        join(name, "dns-token"),
        name=wanted.name,
        policies=[policy],
        opts=pulumi.ResourceOptions(
            parent=parent,
            provider=maker,
            # Traefik gets the new one before the old one is revoked, so that no renewal falls between them.
            delete_before_replace=False,
            replace_on_changes=["policies"],
        ),
    )
    return pulumi.Output.secret(token.value)


def _resources(zones: Iterable[str]) -> str:
    """As Cloudflare writes them, without blanks: the provider compares the text with the API's."""
    return json.dumps({f"{_ZONE}.{zone}": "*" for zone in sorted(zones)}, separators=(",", ":"))
