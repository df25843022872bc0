"""Who is on the sandbox's internet: names that its name server answers, and addresses that a guard lets pass."""

import ipaddress

import dns.message

from lab.render.guard import SPECIAL
from sandbox.cloudflare.zones import NAME_SERVERS
from sandbox.dns.server import NameServer
from sandbox.internet.hosts import ADDRESSES, AUTHORITIES, AUTHORITY_ADDRESS, CLOUDFLARE_ADDRESS, zones
from sandbox.store import Store
from tests.sandbox.dns.account import fill


def _answers(*names: str) -> list[str]:
    store = Store(":memory:")
    fill(store, {"type": "A", "name": "app", "content": "10.10.20.11"})
    server, found = NameServer(store, zones()), []
    for name in names:
        wire = server.answer(dns.message.make_query(name, "A").to_wire(), "127.0.0.1", 1232)
        message = dns.message.from_wire(wire or b"")
        found.append(message.answer[0][0].address if message.answer else message.rcode().name)
    store.close()
    return found


def test_every_address_is_public() -> None:
    """The packet filter of a Docker host lets its ingress go to none that is for private or special use."""
    special = [ipaddress.ip_network(network) for network in SPECIAL]
    for address in map(ipaddress.ip_address, ADDRESSES):
        assert address.is_global
        assert not [network for network in special if address in network]
    assert len(set(ADDRESSES)) == len(ADDRESSES)


def test_names_lead_to_who_answers_there() -> None:
    """Both directories and the host of what they name are the authority; the zones' name servers have an address."""
    hosts = [*AUTHORITIES, *(f"pebble.{name}" for name in AUTHORITIES)]
    assert _answers(*hosts) == [AUTHORITY_ADDRESS] * 4
    assert _answers("api.cloudflare.com") == [CLOUDFLARE_ADDRESS]
    assert set(_answers(*NAME_SERVERS)) <= set(ADDRESSES)


def test_the_accounts_zones_are_answered_as_before() -> None:
    """And what is neither an account's nor here is still nobody's."""
    assert _answers("app.lab.example", "letsencrypt.org", "cloudflare.com") == [
        "10.10.20.11",
        "REFUSED",
        "REFUSED",
    ]
