"""The token that is minted for Traefik: what it may do, who makes it, and how it is replaced."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pulumi
import pulumi_cloudflare
import pytest

import components as c
from lab.plan.records import CertificatePlan, DnsRecordPlan
from tests.components import records as r
from tests.support.engine import Recording, Registration, Secret, Zones, record, visible
from tests.support.program import CANARY, LABS, prepare, run

DNS_WRITE, ZONE_READ = "4755a26eedb94da69e1066d98aa820be", "c8fed203ed3043cba015a93ad1616f1f"
MAKER = "cloudflare-token-maker"


def minted(certificate: CertificatePlan = r.MINTED, *, preview: bool = False) -> Recording:
    """A certificate whose token is minted, beside the two providers."""

    def program() -> None:
        zones = pulumi_cloudflare.Provider("zones", api_token="a-zone-token")
        maker = pulumi_cloudflare.Provider("maker", api_token=pulumi.Output.secret(r.CANARY))
        args = c.WildcardCertArgs(certificate=certificate, maker=maker)
        c.WildcardCert("certificate", args, pulumi.ResourceOptions(providers=[zones]))

    return record(program, preview=preview)


def _other_zone(names: CertificatePlan) -> CertificatePlan:
    caa = DnsRecordPlan(
        name="a.other.example", zone="other.example", type="CAA", content="issue letsencrypt.org"
    )
    return replace(names, caa=(caa, *names.caa))


def test_it_may_answer_challenges_in_its_zone_and_nothing_else() -> None:
    """One policy that allows two groups, by id, on the one zone; resources are JSON without a blank."""
    token = minted().one("ApiToken")
    assert token.inputs == {
        "name": "homelab/dev: DNS-01",
        "policies": [
            {
                "effect": "allow",
                "permissionGroups": [{"id": DNS_WRITE}, {"id": ZONE_READ}],
                "resources": '{"com.cloudflare.api.account.zone.id-of-lab.example":"*"}',
            }
        ],
    }


def test_it_has_every_zone_of_the_names_once() -> None:
    """Two zones are two resources of the one policy, in an order of their own."""
    (policy,) = minted(_other_zone(r.MINTED)).one("ApiToken").inputs["policies"]
    assert list(json.loads(policy["resources"]).items()) == [
        (f"com.cloudflare.api.account.zone.id-of-{zone}", "*") for zone in ("lab.example", "other.example")
    ]


def test_only_the_token_is_made_with_the_credential() -> None:
    """Records and look-ups are the lab's own token's; the credential is secret and for the one resource."""
    recording = minted()
    maker, zones = (recording.one("pulumi:providers:cloudflare", name).urn for name in ("maker", "zones"))
    assert [part.name for part in recording.resources if part.provider == maker] == ["certificate-dns-token"]
    assert {part.provider for part in recording.of("DnsRecord")} == {zones}
    assert {provider.rpartition("::")[0] for _, provider in recording.invokes} == {zones}
    assert r.CANARY not in visible([dict(part.inputs) for part in recording.resources])


def test_it_belongs_to_the_certificate() -> None:
    """A child of the component, and gone with it: neither protected nor kept."""
    recording = minted()
    token = recording.one("ApiToken")
    assert token.parent == recording.one("homelab:index:WildcardCert").urn
    assert (token.protect, token.retain_on_delete) == (False, False)


def test_a_new_one_comes_before_the_old_one_goes() -> None:
    """Other zones or rights make another token; what depends on nothing that goes first does not go first."""
    recording = minted()
    token = recording.one("ApiToken")
    assert token.delete_before_replace is False
    assert token.replace_on_changes == ("policies",)
    assert not token.depends_on & {part.urn for part in recording.of("DnsRecord")}


@pytest.mark.parametrize("preview", [False, True])
def test_its_value_is_a_secret(preview: bool) -> None:
    """It leaves the component as one, and is seen nowhere."""
    recording = minted(preview=preview)
    value = recording.outputs[recording.one("homelab:index:WildcardCert").urn]["dns_token"]
    assert isinstance(value, Secret) or preview
    assert preview or value == Secret("token-of-certificate-dns-token")
    assert "token-of-" not in visible([recording.outputs, recording.log])


@pytest.mark.parametrize(
    ("certificate", "said"),
    [
        (r.CERTIFICATE, "a challenge is answered with a DNS token, and none was given"),
        (r.MINTED, "a token is to be minted, and no provider with the credential for it was given"),
    ],
)
def test_a_certificate_that_nobody_could_prove_is_refused(certificate: CertificatePlan, said: str) -> None:
    """Neither a ready token nor a credential for one is guessed."""
    with pytest.raises(ValueError, match=said):
        record(lambda: c.WildcardCert("cert", c.WildcardCertArgs(certificate=certificate)))


Program = Callable[..., Recording]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Program:
    """The real program on the dev lab, with a minted token or as it is."""

    def running(mints: bool, **more: Any) -> Recording:
        folder: Path = tmp_path_factory.mktemp("program")
        lab_file = prepare(folder, "dev")
        if mints:
            text = lab_file.read_text()
            changed = text.replace("ca: letsencrypt-staging", f"mint-token: {MAKER}, ca: letsencrypt-staging")
            assert changed != text
            lab_file.write_text(changed)
        return run(lab_file, **more)

    return running


@pytest.mark.parametrize("preview", [False, True])
def test_a_credential_that_makes_no_tokens_stops_everything(program: Program, preview: bool) -> None:
    """Before anything of the lab is registered, with Cloudflare's words and without the credential."""
    registered: list[Registration] = []
    with pytest.raises(pulumi.RunError) as caught:
        program(True, preview=preview, zones=Zones(may_mint=False, seen=registered))
    assert str(caught.value).splitlines() == [
        "the credential that makes tokens has one problem; nothing was created",
        f'  - {MAKER}: Cloudflare does not let it make tokens: GET "https://x/user/tokens": 403 Forbidden',
        "      repair: make one with User / API Tokens / Edit (dash.cloudflare.com, API tokens), and "
        f"`pulumi config set --secret {MAKER}`; or remove certificate.mint-token",
    ]
    assert {part.type.rpartition(":")[0] for part in registered} == {"pulumi:providers"}


def test_the_credential_is_asked_once_and_only_where_it_is_used(program: Program) -> None:
    """By its own provider; a lab that mints nothing asks nothing of it."""
    asked = [provider for token, provider in program(True).invokes if "PermissionGroups" in token]
    assert [provider.rpartition("::")[0].rpartition("::")[2] for provider in asked] == ["cloudflare-tokens"]
    assert not any(
        "PermissionGroups" in token for token, _ in program(False, zones=Zones(may_mint=False)).invokes
    )


def test_traefik_gets_the_minted_token_and_not_the_lab_s(program: Program) -> None:
    """What the loader writes for it is the new token; the lab's own stays with its provider."""
    recording = program(True)
    (loader,) = [part for part in recording.of("Container") if part.name.endswith("traefik-secrets-loader")]
    contents = {upload["content"] for upload in loader.inputs["uploads"]}
    assert Secret("token-of-certificate-dns-token") in contents
    assert Secret(f"{CANARY}cloudflare-token") not in contents
    made = recording.one("pulumi:providers:cloudflare", "cloudflare-tokens")
    assert made.inputs["apiToken"] == Secret(f"{CANARY}{MAKER}")
    assert CANARY not in visible([dict(part.inputs) for part in recording.resources])


def test_nothing_changes_without_it(program: Program) -> None:
    """A lab without the key has the resources that it had: only the token and its provider are new with it."""
    with_it, without = program(True), program(False)
    new = set(with_it.urns()) - set(without.urns())
    assert set(without.urns()) <= set(with_it.urns())
    assert {urn.rpartition("::")[2] for urn in new} == {"cloudflare-tokens", "certificate-dns-token"}


def test_the_dev_lab_does_not_mint() -> None:
    """What everybody starts from needs no credential that can make any token."""
    assert "mint-token" not in LABS["dev"].read_text()
