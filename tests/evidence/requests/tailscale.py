"""Requests to the Tailscale API: its routes, with documents that nearly fit and ids that mostly exist."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from hypothesis import strategies as st

from tests.evidence.requests import junk
from tests.evidence.requests.sending import Request

_ADDRESSES: tuple[Any, ...] = (
    ["10.0.0.53"],
    ["2001:db8::53", "10.0.0.53"],
    ["https://dns.example/q"],
    ["x"],
    [],
    [{"address": "1.1.1.1"}],
)
_ROUTED: tuple[Any, ...] = (
    ["10.1.0.0/24"],
    ["0.0.0.0/0", "::/0"],
    ["10.1.0.1/24"],
    ["x"],
    [],
    ["10.1.0.0/24", "10.1.0.0/24"],
    [""],
)
_TAGS: tuple[Any, ...] = ([], ["tag:lab"], ["tag:lab", "tag:lab"], ["tag:none"], ["lab"])
_SECTIONS: dict[str, tuple[Any, ...]] = {
    "tagOwners": ({"tag:lab": ["autogroup:admin"]}, {"tag:lab": []}, {"lab": []}, {"tag:lab": "x"}),
    "groups": ({"group:a": ["a@example.com"]}, {"group:a": ["group:a"]}, {"a": []}, {"group:a": None}),
    "hosts": ({"web": "10.1.0.5"}, {"net": "10.1.0.0/24"}, {"web": "x"}, {"": ""}),
    "acls": (
        [{"action": "accept", "src": ["*"], "dst": ["*:*"]}],
        [{"action": "accept", "src": ["tag:lab"], "dst": ["web:443", "10.1.0.0/24:80-90"]}],
        [{"action": "drop"}], [None], [{"action": "accept", "src": [7], "dst": [{}]}],
    ),
    "grants": (
        [{"src": ["*"], "dst": ["*"], "ip": ["*"]}],
        [{"src": ["group:a"], "dst": ["tag:lab"], "ip": ["tcp:443", "udp:53"]}],
        [{"src": "x"}], [{"src": ["*"], "dst": ["*"], "ip": ["tcp:99999"]}], [[]],
    ),
    "autoApprovers": (
        {"routes": {"10.1.0.0/24": ["tag:lab"]}, "exitNode": ["tag:lab"]}, {"routes": {"x": []}}, {"exitNode": 7},
    ),
    "ssh": (
        [{"action": "accept", "src": ["autogroup:member"], "dst": ["autogroup:self"], "users": ["root"]}], [{}], {},
    ),
    "nodeAttrs": ([{"target": ["*"], "attr": ["funnel"]}], [{"target": [{}]}], 7),
    "postures": ({"posture:a": ["node:os == 'linux'"]}, {"x": 1}),
    "ipsets": ({"ipset:a": ["10.1.0.0/24"]}, {"a": [1]}),
    "tests": ([{"src": "a@example.com", "accept": ["tag:lab:22"]}], [{}], [{"src": 7, "deny": [None]}]),
    "sshTests": ([{"src": "a@example.com", "dst": ["tag:lab"], "accept": ["root"]}], [7]),
    "randomizeClientPort": (True, "x"),
    "derpMap": ({"regions": {}}, 7),
}  # fmt: skip
_ODD_POLICIES = (
    "", "// only a comment", "{", "[]", "7", '{"acls": [],}', '{"acls": [], "ACLs": []}', "/* open", '{"a": 1, "a": 2}',
    '{"acls": [' + "[" * 3_000, "\ufeff{}", '{"acls": NaN}', "{" * 50_000, '[{"src": "*", "accept": ["*:*"]}]', '"x',
)  # fmt: skip
_SETTINGS: dict[str, tuple[Any, ...]] = {
    "devicesApprovalOn": (True, False, None, "x"),
    "devicesKeyDurationDays": (1, 180, 181, 0, 1.5),
    "usersRoleAllowedToJoinExternalTailnets": ("none", "admin", "x", []),
    "aclsExternalLink": ("https://example.org", 7),
    "httpsEnabled": (True,),
}
_CREATE: tuple[Mapping[str, Any], ...] = (
    {}, {"reusable": True, "tags": ["tag:lab"]}, {"ephemeral": True, "preauthorized": True}, {"tags": ["tag:none"]},
    {"tags": "tag:lab"}, {"reusable": 1}, {"unknown": True},
)  # fmt: skip
_KEYS: tuple[Mapping[str, Any], ...] = (
    {}, {"description": "a key", "expirySeconds": 60}, {"expirySeconds": 10**12}, {"description": "é"},
    {"keyType": "auth"}, {"keyType": "client"}, {"keyType": []}, {"userId": 7}, {"expirySeconds": True},
    {"description": "x\n"},
)  # fmt: skip

_address, _routed, _tags = (st.sampled_from(values) for values in (_ADDRESSES, _ROUTED, _TAGS))
_create, _key, _odd_policy = (st.sampled_from(values) for values in (_CREATE, _KEYS, _ODD_POLICIES))
_flag = st.booleans()
_sections = st.lists(st.sampled_from(sorted(_SECTIONS)), max_size=3)
_section = {name: st.sampled_from(values) for name, values in _SECTIONS.items()}
_setting = st.fixed_dictionaries(
    {}, optional={name: st.sampled_from(values) for name, values in _SETTINGS.items()}
)
_domain = st.sampled_from(("lab.example", "example.org", "", "x" * 300, "."))


def _policy(draw: st.DrawFn) -> str:
    if junk.one_in(draw, 10):
        return str(draw(_odd_policy))
    found = {name: draw(_section[name]) for name in draw(_sections)}
    if junk.one_in(draw, 2):
        found["tagOwners"] = {"tag:lab": ["autogroup:admin"]}
    return json.dumps(junk.damage(draw, found))


def _new_key(draw: st.DrawFn) -> dict[str, Any]:
    create = junk.damage(draw, draw(_create))
    return {"capabilities": {"devices": {"create": create}}, **draw(_key)}


def _configuration(draw: st.DrawFn) -> dict[str, Any]:
    preferences = junk.damage(draw, {"magicDNS": draw(_flag), "overrideLocalDNS": False})
    return {
        "nameservers": draw(_address),
        "splitDNS": {draw(_domain): draw(_address)},
        "preferences": preferences,
    }


Body = Callable[[st.DrawFn], Mapping[str, Any]]
_TAILNET, _DEVICE = "/tailnet/{tailnet}", "/device/{device}"
_BODIES: dict[tuple[str, str], Body] = {
    ("POST", f"{_TAILNET}/keys"): _new_key,
    ("PUT", f"{_TAILNET}/keys/{{key}}"): _new_key,
    ("PATCH", f"{_TAILNET}/settings"): lambda draw: draw(_setting),
    ("POST", f"{_TAILNET}/dns/nameservers"): lambda draw: {"dns": draw(_address)},
    ("POST", f"{_TAILNET}/dns/preferences"): lambda draw: {"magicDNS": draw(_flag)},
    ("POST", f"{_TAILNET}/dns/searchpaths"): lambda draw: {"searchPaths": [draw(_domain)]},
    ("PATCH", f"{_TAILNET}/dns/split-dns"): lambda draw: {draw(_domain): draw(_address)},
    ("PUT", f"{_TAILNET}/dns/split-dns"): lambda draw: {draw(_domain): draw(_address)},
    ("POST", f"{_TAILNET}/dns/configuration"): _configuration,
    ("POST", f"{_DEVICE}/routes"): lambda draw: {"routes": draw(_routed)},
    ("POST", f"{_DEVICE}/tags"): lambda draw: {"tags": draw(_tags)},
    ("POST", f"{_DEVICE}/authorized"): lambda draw: {"authorized": draw(_flag)},
    ("POST", f"{_DEVICE}/key"): lambda draw: {"keyExpiryDisabled": draw(_flag)},
}
_POLICIES = (("POST", f"{_TAILNET}/acl"), ("POST", f"{_TAILNET}/acl/validate"))
_BARE = (
    *[("GET", f"{_TAILNET}/{what}") for what in ("acl", "keys", "keys/{key}", "devices", "settings")],
    *[
        ("GET", f"{_TAILNET}/dns/{what}")
        for what in ("nameservers", "preferences", "searchpaths", "split-dns", "configuration")
    ],
    ("DELETE", f"{_TAILNET}/keys/{{key}}"),
    ("GET", _DEVICE),
    ("DELETE", _DEVICE),
    ("GET", f"{_DEVICE}/routes"),
)
ROUTES = frozenset((*_BODIES, *_POLICIES, *_BARE))
"""Every route that is asked, by method and template."""

_ROUTE = st.sampled_from(
    (*_BODIES, *[("POST", f"{_TAILNET}/keys")] * 3, *_POLICIES * 3, *_BARE, ("PATCH", "/{key}"))
)
_ACCEPT = st.sampled_from(("application/json", "application/hujson", "*/*", ""))
_MATCH = st.sampled_from(('"ts-default"', "x", 'W/"x"', ""))
_QUERY = st.sampled_from(
    ("", "", "?fields=all", "?details=1", "?all=true", "?hostname=a&fields=all", "?%ff=%ff", "?=")
)


@st.composite
def requests(draw: st.DrawFn) -> Request:
    """One request; `{tailnet}`, `{device}` and `{key}` in its path stand for names and ids."""
    route = draw(_ROUTE)
    method, template = route
    path = "/".join(junk.segment(draw, p) if p.startswith("{") else p for p in template.split("/"))
    body, headers = None, {"Accept": draw(_ACCEPT)}
    if route in _POLICIES:
        body = _policy(draw).encode(errors="surrogatepass")
        headers |= {"If-Match": draw(_MATCH)} if junk.one_in(draw, 5) else {}
    elif route in _BODIES:
        body = junk.body(draw, _BODIES[route](draw))
        headers |= junk.headers(draw)
    query = draw(_QUERY) if method == "GET" else ""
    return Request(method=method, path=f"/api/v2{path}{query}", body=body, headers=headers)
