"""Traefik, certificates and public records."""

from dataclasses import replace
from typing import Any

import pulumi
import pytest

import components as c
from lab.plan.records import DnsRecordPlan, IngressPlan
from tests.components import records as r
from tests.support.builders import ingress as ingress_section
from tests.support.builders import plan, route, service, stack
from tests.support.engine import Recording, Secret, record
from tests.support.pairs import shown_names


def ingress(plan: IngressPlan = r.INGRESS, **more: Any) -> Recording:
    """The ingress on its host."""
    return record(
        lambda: c.TraefikIngress(
            "docker-1-ingress", c.TraefikIngressArgs(ingress=plan, host=r.engine(), **more)
        )
    )


def test_a_new_route_leaves_traefik_alone() -> None:
    """Another route rewrites the watched volume; Traefik's container and everything it names stay equal."""
    route = replace(r.INGRESS.routes[0], name="other", host="other.dev.lab.example")
    before, after = ingress(), ingress(replace(r.INGRESS, routes=(*r.INGRESS.routes, route)))
    traefik = "docker-1-ingress-traefik"
    assert before.one("Container", traefik) == after.one("Container", traefik)
    loader = "docker-1-ingress-routes-loader"
    assert before.one("Container", loader).inputs != after.one("Container", loader).inputs
    assert before.one("Volume", "docker-1-ingress-routes") == after.one("Volume", "docker-1-ingress-routes")


def test_a_new_way_in_replaces_traefik() -> None:
    """The static file is read once: another entry point rewrites it, and Traefik goes with its loader."""
    entry = replace(r.INGRESS.entry_points[0], audience="lan", port=8443)
    before, after = ingress(), ingress(replace(r.INGRESS, entry_points=(*r.INGRESS.entry_points, entry)))
    loader = "docker-1-ingress-traefik-files-loader"
    assert before.one("Container", loader).inputs != after.one("Container", loader).inputs
    traefik = before.one("Container", "docker-1-ingress-traefik")
    assert traefik.replace_with == (before.one("Container", loader).urn,)


def test_traefik_is_in_the_front_network_and_every_slot() -> None:
    """All slots are attached from the start, at the addresses of the record."""
    found = ingress().one("Container", "docker-1-ingress-traefik")
    assert found.inputs["networksAdvanced"] == [
        {"name": "edge-000", "ipv4Address": "10.144.0.2"},
        {"name": "vnet-front", "ipv4Address": "10.144.0.66"},
    ]


def test_traefik_reads_files_and_no_socket() -> None:
    """Both files are mounted read-only, and nothing of the host is."""
    mounts = ingress().one("Container", "docker-1-ingress-traefik").inputs["mounts"]
    assert [(m["target"], m["type"], m["readOnly"]) for m in mounts] == [
        ("/run/homelab/files", "volume", True),
        ("/run/homelab/routes", "volume", True),
    ]


def test_without_a_certificate_traefik_gets_no_token() -> None:
    """A token that nothing asks for is not handed on."""
    assert "CF_DNS_API_TOKEN_FILE" not in repr(ingress(dns_token="x").resources)


def test_the_token_reaches_traefik_as_a_file() -> None:
    """With a certificate the resolver's token is a secret file, and its variable holds the path."""

    def program() -> None:
        token = pulumi.Output.secret(r.CANARY)
        args = c.TraefikIngressArgs(
            ingress=r.INGRESS, host=r.engine(), certificate=r.CERTIFICATE, dns_token=token
        )
        c.TraefikIngress("docker-1-ingress", args)

    recording = record(program)
    main = recording.one("Container", "docker-1-ingress-traefik")
    assert main.inputs["envs"] == ["CF_DNS_API_TOKEN_FILE=/run/homelab/secrets/dns-token"]
    loader = recording.one("Container", "docker-1-ingress-traefik-secrets-loader")
    assert loader.inputs["uploads"][0]["content"] == Secret(r.CANARY)


def test_a_certificate_without_a_token_is_refused() -> None:
    """Traefik would ask for ever and never be answered."""
    with pytest.raises(ValueError, match="none was given"):
        ingress(certificate=r.CERTIFICATE)


def test_a_pair_needs_no_token_and_nobody_s_permission() -> None:
    """Its two secrets reach Traefik as files, the file of routes names them, and no authority is set up."""
    decided = plan(
        ingress=ingress_section(),
        certificate=shown_names(["*.lab.example"]),
        dns={"provider": "cloudflare"},
        stacks={"web": stack(app=service(listens=[80], route=route("www")))},
        tailnet={},
    )
    assert decided.ingress is not None
    assert "cloudflare-token" in {secret.name for secret in decided.secrets}
    recording = ingress(
        decided.ingress,
        certificate=decided.shown_certificate,
        secrets={"own-certificate": "c", "own-key": r.CANARY},
    )
    loader = recording.one("Container", "docker-1-ingress-traefik-secrets-loader")
    assert {upload["file"] for upload in loader.inputs["uploads"]} == {
        "/run/homelab/secrets/own-certificate",
        "/run/homelab/secrets/own-key",
    }
    text = repr(recording.resources)
    assert "certFile: /run/homelab/secrets/own-certificate" in text
    assert "CF_DNS_API_TOKEN_FILE" not in text
    assert "certResolver" not in text


def test_an_observed_ingress_is_refused() -> None:
    """There is nothing to create, and a component that creates nothing would look like one that does."""
    with pytest.raises(ValueError, match="only observed"):
        ingress(replace(r.INGRESS, service=None))


def test_only_one_authority_may_sign() -> None:
    """Both CAA tags name it at each base name, and the token is known only after that."""
    args = c.WildcardCertArgs(certificate=r.CERTIFICATE, dns_token="token")
    recording = record(lambda: c.WildcardCert("cert", args))
    found = [(part.inputs["name"], part.inputs["data"]) for part in recording.of("DnsRecord")]
    # Registrations that do not wait for each other arrive in any order.
    assert sorted(found, key=lambda record: str(record[1]["tag"])) == [
        ("dev.lab.example", {"flags": 0, "tag": tag, "value": "letsencrypt.org"})
        for tag in ("issue", "issuewild")
    ]
    outputs = recording.outputs[recording.one("homelab:index:WildcardCert").urn]
    assert outputs["dns_token"] == Secret("token")


def test_records_are_made_in_the_zone_of_that_name() -> None:
    """The zone is looked up by the whole name, with automatic TTL, and the old record goes first."""
    recording = record(lambda: c.DnsZone("dns", c.DnsZoneArgs(dns=r.DNS)))
    found = recording.one("DnsRecord")
    assert found.name == "dns-www.dev.lab.example-a"
    assert found.inputs == {
        "zoneId": "id-of-lab.example",
        "name": "www.dev.lab.example",
        "type": "A",
        "content": "10.10.20.11",
        "ttl": 1,
        "proxied": False,
    }
    assert found.delete_before_replace is True
    assert [token for token, _ in recording.invokes] == ["cloudflare:index/getZone:getZone"]


def test_records_of_one_name_and_type_are_told_apart() -> None:
    """A second address of a name has a name of its own in Pulumi, without the address in it."""
    record_plan = DnsRecordPlan(name="*.dev.lab.example", zone="lab.example", type="A", content="10.0.0.1")
    dns = replace(r.DNS, records=(record_plan, replace(record_plan, content="10.0.0.2")))
    recording = record(lambda: c.DnsZone("dns", c.DnsZoneArgs(dns=dns)))
    assert [found.name for found in recording.of("DnsRecord")] == [
        "dns-wildcard.dev.lab.example-a",
        "dns-wildcard.dev.lab.example-a-2",
    ]
