"""Who is on the sandbox's internet: names and addresses.

The packet filter of a Docker host lets the ingress go to public addresses only, so these are public ones. They exist
inside the router's network namespace and nowhere else: no packet for them leaves the machine. The certificate
authorities, Cloudflare's API and its name servers have one address each of the ranges that Cloudflare, which really
serves all of them, publishes (https://www.cloudflare.com/ips/).
"""

from typing import Any

import dns.name

from sandbox.cloudflare.zones import NAME_SERVERS
from sandbox.dns.zones import Zone

AUTHORITIES = ("acme-v02.api.letsencrypt.org", "acme-staging-v02.api.letsencrypt.org")
"""Both Let's Encrypt directories (https://letsencrypt.org/docs/acme-protocol-updates/,
https://letsencrypt.org/docs/staging-environment/)."""
ACCOUNTS = "pebble."
"""Before the host of a directory: the host of everything else that it names (`sandbox.acme.proxy` says why)."""
AUTHORITY_HOSTS = (*AUTHORITIES, *(f"{ACCOUNTS}{name}" for name in AUTHORITIES))

CLOUDFLARE = "api.cloudflare.com"
AUTHORITY_ADDRESS = "172.65.32.248"
CLOUDFLARE_ADDRESS = "104.16.0.80"
NAME_SERVER_ADDRESS = "172.64.32.53"
RESOLVERS = ("1.1.1.1", "9.9.9.9")
"""The public resolvers of Cloudflare and Quad9, which Traefik is told to ask."""
ADDRESSES = (AUTHORITY_ADDRESS, CLOUDFLARE_ADDRESS, NAME_SERVER_ADDRESS, *RESOLVERS)
_SECONDS = 300


def zones() -> tuple[Zone, ...]:
    """A zone for each name, for a name server that answers them beside the account's own zones."""
    places = {
        **dict.fromkeys(AUTHORITY_HOSTS, AUTHORITY_ADDRESS),
        CLOUDFLARE: CLOUDFLARE_ADDRESS,
        **dict.fromkeys(NAME_SERVERS, NAME_SERVER_ADDRESS),
    }
    return tuple(_zone(name, address) for name, address in places.items())


def _zone(name: str, address: str) -> Zone:
    record: dict[str, Any] = {
        "type": "A",
        "name": name,
        "content": address,
        "ttl": _SECONDS,
        "proxied": False,
        "settings": {},
    }
    return Zone(
        apex=dns.name.from_text(name),
        name_servers=tuple(dns.name.from_text(server) for server in NAME_SERVERS),
        records=(record,),
    )
