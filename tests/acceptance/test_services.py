"""A service with a route comes and goes on a running lab, while others are in use.

The tests of this module run in order on one clone whose lab is up.
"""

from typing import Any

import pytest

from tests.acceptance.lab import RunningLab

pytestmark = pytest.mark.engine

IMAGE = (
    "docker.io/traefik/whoami:v1.11.0@sha256:200689790a0a0ea48ca45992e0450bc26ccab5307375b41c84dfc4f2475937ab"
)
BEFORE = "      vaultwarden:\n        host: docker-1\n"
ADDED = {
    BEFORE: f"""\
      wiki:
        host: docker-1
        services:
          app:
            image: {IMAGE}
            listens: [80]
            route: {{host: wiki, audience: [lan]}}

{BEFORE}"""
}
WIKI = "service:wiki/app"
NOT_THE_SERVICE = {"service:guard/docker-1"}
"""The guard's rules are about whoever is there, so its container is another one."""


def _routes(seen: Any) -> dict[str, bool]:
    return {route["expected"]: route["ok"] for route in seen["routes"]}


@pytest.fixture(scope="module")
def ledger(lab: RunningLab) -> None:
    """A service's places are recorded before it is created, and stay recorded when it is gone."""
    with lab.edited(ADDED):
        answer = lab.clone.shell("python -m cli ledger --write")
    assert answer.code == 0, answer


def test_an_added_service_replaces_nothing_and_loses_no_request(lab: RunningLab, ledger: None) -> None:
    """Its network, its container and its route are new; Traefik and everybody behind it go on, and so do requests."""
    before = lab.containers()
    with lab.edited(ADDED):
        with (
            lab.visited("www.dev.lab.example", 443) as www,
            lab.visited("vault.dev.lab.example", 8443) as vault,
        ):
            update = lab.up()
        code, seen = lab.verify()
        after = lab.containers()
        repeated = lab.preview()[0]

    assert update.code == 0, update
    assert (www, vault) == ([], [])
    assert {name for name in before if before[name] != after.get(name)} == NOT_THE_SERVICE
    assert after.keys() - before.keys() == {WIKI}
    assert (code, _routes(seen)[WIKI]) == (0, True)
    assert repeated == {}


def test_a_removed_service_takes_everything_with_it_and_nothing_else(lab: RunningLab) -> None:
    """Its container, network and record are gone, its name leads nowhere, and no request of others was lost."""
    before = lab.containers()
    with lab.visited("www.dev.lab.example", 443) as www, lab.visited("vault.dev.lab.example", 8443) as vault:
        update = lab.up()
    after = lab.containers()

    assert update.code == 0, update
    assert (www, vault) == ([], [])
    assert before.keys() - after.keys() == {WIKI}
    assert {name for name in after if before[name] != after[name]} == NOT_THE_SERVICE
    with lab.engine() as client:
        assert [n.name for n in client.networks.list() if "wiki" in str(n.name)] == []
        assert [v.name for v in client.volumes.list() if "wiki" in str(v.name)] == []
    code, seen = lab.verify()
    assert (code, WIKI in _routes(seen)) == (0, False)
