"""Who is shown a certificate of Cloudflare's Origin CA without coming through Cloudflare's proxy."""

from typing import Any

import pytest

from lab.isolation import prove
from lab.isolation.findings import findings
from tests.support.builders import ingress, plan, route, service, stack
from tests.support.pairs import shown_names

_ORIGIN: dict[str, Any] = {**shown_names(["*.lab.example"]), "ca": "cloudflare-origin"}
_BOTH: dict[str, Any] = {"audiences": {"internet": {"port": 443}, "services": {"port": 8443}}}
_UPSTREAM: dict[str, Any] = {**_BOTH, "tls": "upstream", "trusted-upstreams": ["10.10.20.5"]}


@pytest.mark.parametrize(
    ("audience", "more", "sections", "said"),
    [
        (["internet"], {}, _BOTH, ""),
        (["services"], {}, _BOTH, "services comes"),
        (["internet", "services"], {}, _BOTH, "services comes"),
        (["internet", "services"], {"mode": "direct"}, _BOTH, "internet, services come"),
        (["internet"], {"mode": "direct"}, _UPSTREAM, ""),
        (["internet", "services"], {"mode": "direct"}, _UPSTREAM, "services comes"),
    ],
)
def test_whose_visitors_come_past_cloudflare(
    audience: list[str], more: dict[str, Any], sections: dict[str, Any], said: str
) -> None:
    """Whoever is not of the internet, and the internet where the record is not proxied and TLS ends at Traefik."""
    decided = plan(
        certificate=_ORIGIN,
        dns={"provider": "cloudflare", "address": "203.0.113.9", "mode": "proxied", **more},
        stacks={"web": stack(app=service(listens=[80], route=route("www", *audience)))},
        ingress=ingress(**sections),
    )
    found = [one.problem for one in findings(prove(decided)) if one.kind == "untrusted-certificate"]
    assert [problem.partition(" to www")[0] for problem in found] == ([said] if said else [])


def test_an_authority_of_one_s_own_is_its_owner_s_to_judge() -> None:
    """Whom the visitors trust is theirs to arrange; only of Cloudflare's Origin CA is it known."""
    decided = plan(
        certificate={**_ORIGIN, "ca": "own"},
        stacks={"web": stack(app=service(listens=[80], route=route("www", "services")))},
        ingress=ingress(**_BOTH),
    )
    assert not [one for one in findings(prove(decided)) if one.kind == "untrusted-certificate"]
