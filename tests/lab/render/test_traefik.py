"""Traefik's files: golden for the labs, the line that each rule is about, and no secret or socket anywhere."""

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from lab.plan.records import CertificatePlan, IngressPlan, LabPlan
from lab.render.traefik import dynamic_configuration, static_configuration
from tests.labs.reading import CASES, LABS, lab_file
from tests.support.builders import ingress, plan, route, service, stack
from tests.support.golden import assert_golden
from tests.support.plans import plan_of

ROOT = Path(__file__).resolve().parents[3]
FILES = {"dev": ROOT / "Pulumi.dev.yaml", "full": ROOT / "tests" / "support" / "full_lab.yaml"}
FILES["ingress"] = ROOT / "tests" / "support" / "ingress_lab.yaml"
FILES["pair"] = ROOT / "tests" / "support" / "pair_lab.yaml"
FILES |= {case: lab_file(case) for case in CASES}
WITH_TRAEFIK = ("dev", "full", "ingress", "pair", "docker-front-back", "flat-subnet", "per-service-networks")


def read(text: str) -> Any:
    """What a YAML reader makes of a file."""
    return YAML(typ="safe", pure=True).load(text)


def certificate_of(decided: LabPlan) -> CertificatePlan | None:
    """What the ingress of a lab asks an authority for: nothing where all of its TLS ends elsewhere."""
    return decided.certificate if decided.ingress is not None and decided.ingress.ends_tls else None


def edge(**changes: Any) -> IngressPlan:
    """The ingress of a lab with one routed service."""
    sections: dict[str, Any] = {
        "tailnet": {},
        "ingress": ingress(),
        "stacks": {"web": stack(app=service(listens=[80], route=route("www")))},
    }
    found = plan(**{**sections, **changes}).ingress
    assert found is not None
    return found


def test_every_lab_with_a_traefik_of_ours_is_golden() -> None:
    """The labs below are all those whose ingress is created here."""
    ingresses = {name: plan_of(path).ingress for name, path in FILES.items()}
    assert {name for name, found in ingresses.items() if found is not None and found.managed} == set(
        WITH_TRAEFIK
    )


@pytest.mark.parametrize("name", WITH_TRAEFIK)
def test_the_static_file_is_golden(name: str, update_golden: bool) -> None:
    """What Traefik reads at its start is exactly as it was when somebody last read it."""
    decided = plan_of(FILES[name])
    assert decided.ingress is not None
    found = static_configuration(decided.ingress, certificate_of(decided))
    assert_golden(LABS / name / "expected" / "traefik.static.yaml", found, update=update_golden)


@pytest.mark.parametrize("name", WITH_TRAEFIK)
def test_the_dynamic_file_is_golden(name: str, update_golden: bool) -> None:
    """What Traefik watches is exactly as it was when somebody last read it."""
    decided = plan_of(FILES[name])
    assert decided.ingress is not None
    found = dynamic_configuration(decided.ingress, certificate_of(decided))
    assert_golden(LABS / name / "expected" / "traefik.dynamic.yaml", found, update=update_golden)


def test_a_pair_is_shown_and_nobody_is_asked() -> None:
    """Its files are in the watched file, names that it does not cover are refused, and no resolver is set up."""
    decided = plan_of(FILES["pair"])
    assert decided.ingress is not None
    assert decided.certificate is not None
    tls = read(dynamic_configuration(decided.ingress, decided.shown_certificate))["tls"]
    [shown] = tls["certificates"]
    secrets = "/run/homelab/secrets"
    assert shown == {"certFile": f"{secrets}/origin-certificate", "keyFile": f"{secrets}/origin-key"}
    assert tls["options"]["default"]["sniStrict"] is True
    static = read(static_configuration(decided.ingress, decided.shown_certificate))
    assert "certificatesResolvers" not in static
    assert static["entryPoints"]["internet"]["http"]["tls"] == {}
    assert decided.ingress.service is not None
    given = {file.secret.name for file in decided.ingress.service.secret_files}
    assert given == {"origin-certificate", "origin-key"}
    assert (decided.asked_certificate, decided.certificate.caa) == (None, ())


def test_traefik_is_told_by_files_only() -> None:
    """The file provider is the only one: no Docker socket, no API, no dashboard, no telemetry."""
    static = read(static_configuration(edge()))
    assert set(static["providers"]) == {"file"}
    assert not {"api", "experimental", "serversTransport"} & set(static)
    assert static["global"] == {"checkNewVersion": False, "sendAnonymousUsage": False}


def test_each_audience_has_its_entry_point() -> None:
    """An audience is a port of its own, and the ping answers on loopback alone."""
    audiences = {"tailnet": {"port": 8443}, "internet": {"port": 443}}
    entry_points = read(static_configuration(edge(ingress=ingress(audiences=audiences))))["entryPoints"]
    assert {name: entry["address"] for name, entry in entry_points.items()} == {
        "internet": ":443",
        "tailnet": ":8443",
        "ping": "127.0.0.1:8082",
    }


def test_headers_cannot_be_smuggled() -> None:
    """Underscored headers are deleted and encoded separators refused at every entry point."""
    http = read(static_configuration(edge()))["entryPoints"]["tailnet"]["http"]
    assert http["underscoreHeadersStrategy"] == "delete"
    assert set(http["encodedCharacters"].values()) == {False}


def test_without_an_authority_traefik_signs_for_itself() -> None:
    """Without a certificate to ask for, TLS is on and no resolver is named."""
    static = read(static_configuration(edge()))
    assert static["entryPoints"]["tailnet"]["http"]["tls"] == {}
    assert "certificatesResolvers" not in static


CERTIFICATE = CertificatePlan(names=("*.lab.example", "lab.example"), email="me@example.com")


def test_the_certificate_is_asked_for_once() -> None:
    """All names are one certificate, by DNS-01, from staging unless the lab says otherwise."""
    static = read(static_configuration(edge(), CERTIFICATE))
    tls = static["entryPoints"]["tailnet"]["http"]["tls"]
    assert tls == {
        "certResolver": "letsencrypt",
        "domains": [{"main": "*.lab.example", "sans": ["lab.example"]}],
    }
    acme = static["certificatesResolvers"]["letsencrypt"]["acme"]
    assert acme["caServer"] == "https://acme-staging-v02.api.letsencrypt.org/directory"
    assert acme["dnsChallenge"]["provider"] == "cloudflare"


BEHIND = {
    "tls": "upstream",
    "trusted_upstreams": ["10.10.20.9"],
    "auth": {"kind": "authelia", "endpoint": "guest:docker-1"},
}
FORWARDED = {"ipStrategy": {"excludedIPs": ["10.10.20.9"]}}


def behind(**audiences: int) -> IngressPlan:
    """A limited route for some audiences, behind a terminator."""
    stacks = {
        "web": stack(app=service(listens=[80], route=route("www", *audiences, middlewares=["at-home"])))
    }
    entries = {name: {"port": port} for name, port in audiences.items()}
    middlewares = {"at-home": {"allow": ["10.0.0.0/8"]}}
    return edge(
        ingress=ingress(**BEHIND, audiences=entries, rate_limit=5, middlewares=middlewares), stacks=stacks
    )


def test_tls_may_end_upstream() -> None:
    """Behind a terminator there is no TLS of ours, and only the terminator's headers are believed."""
    static = read(static_configuration(behind(internet=80)))
    entry = static["entryPoints"]["internet"]
    assert "tls" not in entry["http"]
    assert entry["forwardedHeaders"] == {"trustedIPs": ["10.10.20.9"]}
    assert "tls" not in read(dynamic_configuration(behind(internet=80)))


def test_an_address_is_looked_for_where_it_stands() -> None:
    """What looks at the visitor's address reads the terminator's header at its entry, and the packet elsewhere."""
    http = read(dynamic_configuration(behind(internet=80, tailnet=8443)))["http"]
    assert http["routers"] == {
        "web-app": {
            "rule": "Host(`www.lab.example`)",
            "entryPoints": ["tailnet"],
            "middlewares": ["at-home", "forward-auth"],
            "service": "web-app",
        },
        "web-app_forwarded": {
            "rule": "Host(`www.lab.example`)",
            "entryPoints": ["internet"],
            "middlewares": ["at-home_forwarded", "forward-auth_forwarded"],
            "service": "web-app",
        },
    }
    middlewares = http["middlewares"]
    assert middlewares["at-home"]["ipAllowList"] == {"sourceRange": ["10.0.0.0/8"]}
    assert middlewares["at-home_forwarded"]["ipAllowList"] == {"sourceRange": ["10.0.0.0/8"], **FORWARDED}
    assert "sourceCriterion" not in middlewares["rate-limit"]["rateLimit"]
    assert middlewares["rate-limit_forwarded"]["rateLimit"]["sourceCriterion"] == FORWARDED


def test_a_visitor_cannot_tell_the_sign_in_of_another_request() -> None:
    """What a terminator passes along from a visitor, and the sign-in would believe, is removed first of all."""
    middlewares = read(dynamic_configuration(behind(internet=80, tailnet=8443)))["http"]["middlewares"]
    first = middlewares["audience_internet"]["chain"]["middlewares"][0]
    assert middlewares[first] == {
        "headers": {
            "customRequestHeaders": dict.fromkeys(
                ("X-Forwarded-Host", "X-Forwarded-Method", "X-Forwarded-Uri"), ""
            )
        }
    }
    assert first not in middlewares["audience_tailnet"]["chain"]["middlewares"]
    assert middlewares["forward-auth"]["forwardAuth"]["trustForwardHeader"] is False
    assert middlewares["forward-auth_forwarded"]["forwardAuth"]["trustForwardHeader"] is True


def test_nobody_s_forwarded_headers_are_believed_by_default() -> None:
    """Without an upstream there is nobody whose word about a visitor counts."""
    assert "forwardedHeaders" not in static_configuration(edge())


def test_a_route_is_one_router_and_one_service() -> None:
    """A router serves one host for its audiences' entry points only, and leads to the service's slot."""
    http = read(dynamic_configuration(edge()))["http"]
    assert http["routers"] == {
        "web-app": {
            "rule": "Host(`www.lab.example`)",
            "entryPoints": ["tailnet"],
            "service": "web-app",
        }
    }
    assert http["services"]["web-app"]["loadBalancer"]["servers"] == [{"url": "http://10.144.0.3:80"}]


def test_a_path_narrows_the_rule() -> None:
    """A route with a path serves just what is below it."""
    stacks = {"web": stack(app=service(listens=[80], route=route("www", path="/api")))}
    routers = read(dynamic_configuration(edge(stacks=stacks)))["http"]["routers"]
    assert routers["web-app"]["rule"] == "Host(`www.lab.example`) && PathPrefix(`/api`)"


AUTH = {"kind": "authelia", "endpoint": "service:sign-in/authelia"}
SIGN_IN = stack(authelia=service(listens=[9091], route=route("auth", auth="none")))


def test_every_route_is_asked_for_unless_it_says_none() -> None:
    """Forward authentication stands in front of a route, after what costs nothing, and not in front of itself."""
    stacks = {"web": stack(app=service(listens=[80], route=route("www"))), "sign-in": SIGN_IN}
    http = read(dynamic_configuration(edge(ingress=ingress(auth=AUTH, rate_limit=9), stacks=stacks)))["http"]
    assert http["routers"]["web-app"]["middlewares"] == ["forward-auth"]
    assert "middlewares" not in http["routers"]["sign-in-authelia"]
    chain = http["middlewares"]["audience_tailnet"]["chain"]["middlewares"]
    assert chain == ["only_the_sign_in", "secure-headers", "compression", "rate-limit"]
    nobody = dict.fromkeys(("Remote-User", "Remote-Groups", "Remote-Name", "Remote-Email"), "")
    assert http["middlewares"][chain[0]] == {"headers": {"customRequestHeaders": nobody}}
    asked = http["middlewares"]["forward-auth"]["forwardAuth"]
    assert asked["address"] == "http://10.144.0.3:9091/api/authz/forward-auth"
    assert asked["trustForwardHeader"] is False
    assert "Remote-User" in asked["authResponseHeaders"]


def test_a_rate_limit_is_a_middleware() -> None:
    """Requests a second are limited where a number is declared."""
    limited = edge(ingress=ingress(rate_limit=50))
    middlewares = read(dynamic_configuration(limited))["http"]["middlewares"]
    assert middlewares["rate-limit"] == {"rateLimit": {"average": 50, "burst": 50, "period": "1s"}}
    assert "rate-limit" not in dynamic_configuration(edge())


def test_without_routes_there_are_no_empty_sections() -> None:
    """Traefik refuses empty sections, so a lab without routes has none."""
    http = read(dynamic_configuration(edge(stacks={})))["http"]
    assert set(http) == {"middlewares"}


def test_old_tls_and_unknown_names_are_refused() -> None:
    """Nothing older than TLS 1.2 is spoken, and no name served that no certificate covers, where there is one."""

    def options(certificate: CertificatePlan | None, **more: Any) -> Any:
        return read(dynamic_configuration(edge(ingress=ingress(**more)), certificate))["tls"]["options"][
            "default"
        ]

    assert options(CERTIFICATE) == {"minVersion": "VersionTLS12", "sniStrict": True}
    assert options(None) == {"minVersion": "VersionTLS12", "sniStrict": False}
    weaker = {"minimum": "1.3", "unknown-names": "serve"}
    assert options(CERTIFICATE, tls_options=weaker) == {"minVersion": "VersionTLS13", "sniStrict": False}


def test_no_secret_is_in_the_files() -> None:
    """Users, authorities and keys are named by the files that hold them."""
    decided = plan_of(FILES["ingress"])
    assert decided.ingress is not None
    assert decided.ingress.service is not None
    text = dynamic_configuration(decided.ingress, decided.certificate)
    paths = [file.path for file in decided.ingress.service.secret_files]
    assert sorted(path.rpartition("/")[2] for path in paths) == ["crowdsec-key", "proxmox-ca", "staff-users"]
    assert all(path in text for path in paths)


def test_every_name_in_the_files_exists() -> None:
    """No router of any lab names a middleware, a service or an entry point that is not there."""
    for name in WITH_TRAEFIK:
        decided = plan_of(FILES[name])
        assert decided.ingress is not None
        dynamic = read(dynamic_configuration(decided.ingress, certificate_of(decided)))
        entry_points = read(static_configuration(decided.ingress, certificate_of(decided)))["entryPoints"]
        for section in (dynamic[kind] for kind in ("http", "tcp", "udp") if kind in dynamic):
            for router in section.get("routers", {}).values():
                assert set(router.get("middlewares", ())) <= set(section.get("middlewares", {}))
                assert set(router["entryPoints"]) <= set(entry_points)
                assert router["service"] in section["services"]
                assert router["entryPoints"]
        for entry in decided.ingress.entry_points:
            chain = dynamic["http"]["middlewares"][f"audience_{entry.audience}"]["chain"]["middlewares"]
            assert set(chain) <= set(dynamic["http"]["middlewares"])
