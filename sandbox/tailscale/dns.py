"""`/dns/*`: resolvers, search paths, split DNS and preferences of the tailnet.

One configuration is kept; the four single resources are views of it, as in the real service.
"""

from ipaddress import ip_address
from typing import Any

from sandbox.tailscale.errors import ApiError
from sandbox.tailscale.request import (
    Call,
    Document,
    Reply,
    Route,
    boolean,
    object_field,
    refuse_unknown,
    string_list,
)

_COLLECTION, _KEY = "tailscale/tailnet", "dns"


def _read(call: Call) -> Document:
    default: Document = {
        "nameservers": [],
        "splitDNS": {},
        "searchPaths": [],
        "preferences": {"overrideLocalDNS": False, "magicDNS": True},
    }
    found: Document | None = call.transaction.get(_COLLECTION, _KEY)
    return found or default


def _write(call: Call, configuration: Document) -> None:
    call.transaction.put(_COLLECTION, _KEY, configuration)


def _resolver(given: Any) -> Document:
    entry = {"address": given} if isinstance(given, str) else given
    if not isinstance(entry, dict):
        raise ApiError(400, "a nameserver must be an address or an object with one")
    refuse_unknown(entry, ("address", "useWithExitNode"))
    address = entry.get("address")
    try:
        if not (isinstance(address, str) and address.startswith("https://")):
            ip_address(str(address))
    except ValueError:
        raise ApiError(400, f"invalid nameserver {address!r}: it must be an IP address") from None
    return {"address": address, "useWithExitNode": boolean(entry, "useWithExitNode")}


def _resolvers(given: Any) -> list[Document]:
    if given is not None and not isinstance(given, list):
        raise ApiError(400, "nameservers must be a list")
    return [_resolver(entry) for entry in given or []]


def _split(given: Any) -> dict[str, list[Document]]:
    if given is not None and not isinstance(given, dict):
        raise ApiError(400, "split DNS must be an object: domain -> list of nameservers")
    return {str(domain): _resolvers(servers) for domain, servers in (given or {}).items() if servers}


def _addresses(resolvers: list[Document]) -> list[str]:
    return [resolver["address"] for resolver in resolvers]


def _get_nameservers(call: Call) -> Reply:
    return Reply(document={"dns": _addresses(_read(call)["nameservers"])})


def _set_nameservers(call: Call) -> Reply:
    body, configuration = call.document(), _read(call)
    refuse_unknown(body, ("dns",))
    configuration["nameservers"] = _resolvers(string_list(body, "dns"))
    _write(call, configuration)
    shown = _addresses(configuration["nameservers"])
    return Reply(document={"dns": shown, "magicDNS": configuration["preferences"]["magicDNS"]})


def _get_preferences(call: Call) -> Reply:
    return Reply(document={"magicDNS": _read(call)["preferences"]["magicDNS"]})


def _set_preferences(call: Call) -> Reply:
    body, configuration = call.document(), _read(call)
    refuse_unknown(body, ("magicDNS",))
    configuration["preferences"]["magicDNS"] = boolean(body, "magicDNS")
    _write(call, configuration)
    return Reply(document={"magicDNS": configuration["preferences"]["magicDNS"]})


def _get_search_paths(call: Call) -> Reply:
    return Reply(document={"searchPaths": _read(call)["searchPaths"]})


def _set_search_paths(call: Call) -> Reply:
    body, configuration = call.document(), _read(call)
    refuse_unknown(body, ("searchPaths",))
    configuration["searchPaths"] = string_list(body, "searchPaths")
    _write(call, configuration)
    return Reply(document={"searchPaths": configuration["searchPaths"]})


def _split_document(configuration: Document) -> Reply:
    split = {domain: _addresses(servers) for domain, servers in configuration["splitDNS"].items()}
    return Reply(document=split)


def _get_split(call: Call) -> Reply:
    return _split_document(_read(call))


def _edit_split(call: Call) -> Reply:
    body, configuration = call.document(), _read(call)
    kept = {domain: servers for domain, servers in configuration["splitDNS"].items() if domain not in body}
    configuration["splitDNS"] = kept | _split(body)
    _write(call, configuration)
    return _split_document(configuration)


def _replace_split(call: Call) -> Reply:
    configuration = _read(call) | {"splitDNS": _split(call.document())}
    _write(call, configuration)
    return _split_document(configuration)


def _get_configuration(call: Call) -> Reply:
    return Reply(document=_read(call))


def _set_configuration(call: Call) -> Reply:
    body = call.document()
    refuse_unknown(body, ("nameservers", "splitDNS", "searchPaths", "preferences"))
    preferences = object_field(body, "preferences")
    refuse_unknown(preferences, ("overrideLocalDNS", "magicDNS"))
    # The real service gives them back in another order than they came in (terraform-provider-tailscale, issue 779).
    nameservers = sorted(_resolvers(body.get("nameservers")), key=lambda resolver: str(resolver["address"]))
    configuration: Document = {
        "nameservers": nameservers,
        "splitDNS": _split(body.get("splitDNS")),
        "searchPaths": string_list(body, "searchPaths"),
        "preferences": {name: boolean(preferences, name) for name in ("overrideLocalDNS", "magicDNS")},
    }
    _write(call, configuration)
    return Reply(document=configuration)


def routes() -> list[Route]:
    """The routes of this subject."""
    base = "/tailnet/{tailnet}/dns"
    return [
        ("GET", f"{base}/nameservers", _get_nameservers),
        ("POST", f"{base}/nameservers", _set_nameservers),
        ("GET", f"{base}/preferences", _get_preferences),
        ("POST", f"{base}/preferences", _set_preferences),
        ("GET", f"{base}/searchpaths", _get_search_paths),
        ("POST", f"{base}/searchpaths", _set_search_paths),
        ("GET", f"{base}/split-dns", _get_split),
        ("PATCH", f"{base}/split-dns", _edit_split),
        ("PUT", f"{base}/split-dns", _replace_split),
        ("GET", f"{base}/configuration", _get_configuration),
        ("POST", f"{base}/configuration", _set_configuration),
    ]
