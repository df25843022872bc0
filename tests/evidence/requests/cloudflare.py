"""Requests to the Cloudflare API: its routes, with records and tokens that nearly fit and ids that mostly exist."""

from typing import Any
from urllib.parse import urlencode

from hypothesis import strategies as st

from sandbox.cloudflare.rights import GROUPS
from sandbox.cloudflare.zones import zone_document
from tests.evidence.requests import junk
from tests.evidence.requests.sending import Request

ZONES = ("example.org", "dev.lab.example")
_NAMES = (
    "@", "www", "*", "app.example.org", "a.b", "_acme-challenge", "dev.lab.example", "WWW", "münchen", "x.", "app.org",
)  # fmt: skip
_CONTENTS = {
    "A": ("192.0.2.1", "192.0.2.2", "192.0.2.01", "::1", "1.2.3"),
    "AAAA": ("2001:db8::1", "::ffff:192.0.2.1", "2001:db8::%eth0", "192.0.2.1"),
    "CNAME": ("www.example.org", "app.example.org.", "example.org", "a b", "1.2.3.4"),
    "MX": ("mail.example.org", "mail", ""),
    "NS": ("ns1.example.org", "-"),
    "PTR": ("host.example.org",),
    "TXT": ("plain", '"quoted"', '"a" "b"', '"open', "x" * 3000, "\\", '"\\"'),
}
_DATA: dict[str, tuple[dict[str, Any], ...]] = {
    "CAA": (
        {"flags": 0, "tag": "issue", "value": "letsencrypt.org"},
        {"flags": 128.0, "tag": "iodef", "value": "mailto:a@example.org"},
        {"flags": float("inf"), "tag": "issue", "value": "x"},
    ),
    "SRV": (
        {"priority": 1, "weight": 2, "port": 443, "target": "app.example.org"},
        {"priority": 1, "target": "."},
    ),
    "TLSA": ({"usage": 3, "selector": 1, "matching_type": 1, "certificate": "00"},),
    "HTTPS": ({"priority": 1, "target": ".", "value": "alpn=h2"},),
    "URI": ({"weight": 1, "target": "https://example.org"},),
    "LOC": ({},),
}
_EXTRAS: tuple[dict[str, Any], ...] = (
    {}, {}, {"proxied": True}, {"proxied": False}, {"comment": "why"}, {"comment": "x" * 501}, {"tags": ["a:b"]},
    {"settings": {"flatten_cname": True}}, {"settings": {"ipv4_only": True}, "proxied": True},
    {"comment": "", "tags": []},
)  # fmt: skip
_TOKEN_EXTRAS: tuple[dict[str, Any], ...] = (
    {}, {}, {"status": "disabled"}, {"expires_on": "2020-01-01T00:00:00Z"}, {"not_before": "soon"},
    {"condition": {"request_ip": {"in": ["127.0.0.0/8", "::/0"], "not_in": ["x"]}}}, {"condition": {}},
    {"condition": []},
)  # fmt: skip
_QUERIES = (
    "name", "name.exact", "name.contains", "content", "content.startswith", "comment.absent", "type", "proxied",
    "match", "order", "direction", "page", "per_page", "search", "status", "account.id", "unknown",
)  # fmt: skip
_QUERY_VALUES = (
    "example.org", "www.example.org", "A", "TXT", "any", "all", "desc", "true", "name", "ttl", "1", "3", "nan", "inf",
    *junk.ODD_TEXTS,
)  # fmt: skip
_ROUTES = (
    *[("POST", "/zones/{zone}/dns_records")] * 4,
    *[("PATCH", "/zones/{zone}/dns_records/{record}")] * 2,
    ("PUT", "/zones/{zone}/dns_records/{record}"),
    ("DELETE", "/zones/{zone}/dns_records/{record}"),
    ("GET", "/zones/{zone}/dns_records/{record}"),
    ("GET", "/zones/{zone}/dns_records"),
    ("GET", "/zones/{zone}"),
    ("GET", "/zones"),
    ("GET", "/user/tokens/verify"),
    *[("POST", "/user/tokens")] * 2,
    ("PUT", "/user/tokens/{record}"),
    ("DELETE", "/user/tokens/{record}"),
    ("GET", "/user/tokens/{record}"),
    ("GET", "/user/tokens"),
    ("GET", "/user/tokens/permission_groups"),
    ("OPTIONS", "/zones/{zone}"),
    ("POST", "/{zone}"),
)

_ROUTE = st.sampled_from(_ROUTES)
_NAME = st.sampled_from(_NAMES)
_KIND = st.sampled_from((*_CONTENTS, *_DATA, "A", "TXT", "CNAME", "CAA"))
_TTL = st.sampled_from((1, 1, 60, 300, 86400, 59))
_EXTRA = st.sampled_from(_EXTRAS)
_CONTENT = {kind: st.sampled_from(contents) for kind, contents in _CONTENTS.items()}
_DATUM = {kind: st.sampled_from(data) for kind, data in _DATA.items()}
_RESOURCE = st.sampled_from(("*", "*", *(zone_document(zone)["id"] for zone in ZONES), "0" * 32))
_EFFECT = st.sampled_from(("allow", "allow", "deny"))
_GROUPS = st.lists(st.sampled_from((*GROUPS, *GROUPS, "0" * 32)), max_size=3)
_BOUNDS = st.sampled_from(_TOKEN_EXTRAS)
_QUERY = st.dictionaries(st.sampled_from(_QUERIES), st.sampled_from(_QUERY_VALUES), max_size=2)


def _record(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(_KIND)
    record: dict[str, Any] = {"type": kind, "name": draw(_NAME), "ttl": draw(_TTL), **draw(_EXTRA)}
    if kind in _DATUM:
        record["data"] = junk.damage(draw, draw(_DATUM[kind]))
    else:
        record["content"] = draw(_CONTENT[kind])
    if kind in ("MX", "URI"):
        record["priority"] = 10
    return record


def _token(draw: st.DrawFn) -> dict[str, Any]:
    resource = f"com.cloudflare.api.account.zone.{draw(_RESOURCE)}"
    policy = {
        "effect": draw(_EFFECT),
        "permission_groups": [{"id": group} for group in draw(_GROUPS)],
        "resources": {resource: "*"},
    }
    return {"name": draw(_NAME), "policies": [junk.damage(draw, policy)], **draw(_BOUNDS)}


def _query(draw: st.DrawFn) -> str:
    found = draw(_QUERY)
    return f"?{urlencode(found, errors='surrogatepass')}" if found else ""


@st.composite
def requests(draw: st.DrawFn) -> Request:
    """One request; `{zone}` and `{record}` in its path stand for ids, the second also for those of tokens."""
    method, path = draw(_ROUTE)
    path = "/".join(junk.segment(draw, part) if part.startswith("{") else part for part in path.split("/"))
    writes = method in ("POST", "PUT", "PATCH")
    return Request(
        method=method,
        path=f"/client/v4{path}{_query(draw) if method == 'GET' else ''}",
        body=junk.body(draw, (_token if "/user/tokens" in path else _record)(draw)) if writes else None,
        headers=junk.headers(draw) if writes else {},
    )
