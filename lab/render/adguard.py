"""AdGuard Home's configuration file: the lab's names as rewrites, and its upstreams.

AdGuard Home owns this file: it writes the whole of it anew when it starts with an older
schema and whenever somebody changes something in its pages. So what is rendered is what
a new container starts from, and a change of it comes with a new container; on a machine
that keeps its own file, a person takes over `dns.upstream_dns` and `filtering.rewrites`.
No password is rendered, so its pages are served on loopback only.
"""

from typing import Any

from lab.plan.records import ResolverPlan
from lab.render.emit import yaml_text

_SCHEMA = 29
"""Newer ones are made of it at the start (AdGuard Home, `internal/configmigrate`); an unknown one is refused."""
_FILTER = "https://adguardteam.github.io/HostlistsRegistry/assets/filter_1.txt"


def adguard_files(resolver: ResolverPlan) -> dict[str, str]:
    """The configuration file by its path."""
    configuration: dict[str, Any] = {
        "http": {"address": "127.0.0.1:3000"},
        "users": [],
        "dns": {
            "bind_hosts": ["0.0.0.0"],
            "port": 53,
            "allowed_clients": ["127.0.0.0/8", *resolver.asked_from],
            **_upstreams(resolver),
        },
        "filters": [{"enabled": True, "url": _FILTER, "name": "AdGuard DNS filter", "id": 1}]
        if resolver.filters
        else [],
        "filtering": {
            "filtering_enabled": resolver.filters,
            "protection_enabled": True,
            "rewrites": [{"domain": name.name, "answer": name.address} for name in resolver.names],
        },
        "schema_version": _SCHEMA,
    }
    text = yaml_text(configuration, comment="AdGuard Home starts from this; rendered from the lab file.")
    return {f"{resolver.folder}/AdGuardHome.yaml": text}


def _upstreams(resolver: ResolverPlan) -> dict[str, list[str]]:
    """Where the rest goes; without it AdGuard Home asks its own choice of servers."""
    if not resolver.forwards_to:
        return {}
    if resolver.forward_tls_name is None:
        return {"upstream_dns": list(resolver.forwards_to)}
    # The name is found by asking the very addresses that it stands for.
    return {
        "upstream_dns": [f"tls://{resolver.forward_tls_name}"],
        "bootstrap_dns": list(resolver.forwards_to),
    }
