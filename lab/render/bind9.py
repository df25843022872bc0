"""BIND's files: the options, the lab's zones, and a way out over TLS.

Answers the lab's own machines and nobody else, hands its zones to nobody, and does not
say its version. Forwarding over TLS needs BIND 9.20 (its release notes, GL #3726); the
upstream's name is checked against the system's own authorities.
"""

from collections.abc import Iterable, Sequence

from lab.plan.records import ResolverPlan
from lab.render.zone_file import zone_files

_UPSTREAM = "upstream"


def bind9_files(resolver: ResolverPlan) -> dict[str, str]:
    """Every file by its whole path.

    Args:
        resolver: the resolver; its files refer to each other below its folder.
    """
    zones = zone_files(resolver)
    folder = resolver.folder
    paths = {zone: f"{folder}/db.{zone.replace('*', 'wildcard')}" for zone in zones}
    return {
        f"{folder}/named.conf": _text(
            f'include "{folder}/named.conf.options";', f'include "{folder}/named.conf.local";'
        ),
        f"{folder}/named.conf.options": _text(*_options(resolver)),
        f"{folder}/named.conf.local": _text(
            *(_block(f'zone "{zone}"', ["type primary;", f'file "{path}";']) for zone, path in paths.items())
        ),
        **{paths[zone]: content for zone, content in zones.items()},
    }


def _options(resolver: ResolverPlan) -> Iterable[str]:
    yield _block("acl lab", [f"{source};" for source in ("127.0.0.0/8", *resolver.asked_from)])
    if resolver.forward_tls_name:
        yield _block(f"tls {_UPSTREAM}", [f'remote-hostname "{resolver.forward_tls_name}";'])
    # New files come with a new container, or a restart: nobody needs the channel of rndc.
    yield "controls { };"
    yield _block(
        "options",
        [
            'directory "/var/cache/bind";',
            "pid-file none;",
            "session-keyfile none;",
            "listen-on { any; };",
            "listen-on-v6 { none; };",
            'version "none";',
            "hostname none;",
            "allow-query { lab; };",
            "allow-recursion { lab; };",
            "allow-transfer { none; };",
            "allow-update { none; };",
            "notify no;",
            *_forwarding(resolver),
        ],
    )


def _forwarding(resolver: ResolverPlan) -> list[str]:
    if not resolver.forwards_to:
        return ["dnssec-validation auto;"]
    port, tls = (" port 853", f" tls {_UPSTREAM}") if resolver.forward_tls_name else ("", "")
    servers = " ".join(f"{address}{port}{tls};" for address in resolver.forwards_to)
    return [
        "forward only;",
        f"forwarders {{ {servers} }};",
        # An upstream that filters answers what nobody signed; validating is its work then.
        f"dnssec-validation {'no' if resolver.filters else 'auto'};",
    ]


def _block(head: str, lines: Sequence[str]) -> str:
    return "\n".join([f"{head} {{", *(f"    {line}" for line in lines), "};"])


def _text(*blocks: str) -> str:
    return "\n".join(["// Rendered from the lab file.", *blocks, ""])
