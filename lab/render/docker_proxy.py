"""The settings of a proxy in front of a Docker API: exactly the declared rights, in the words of each kind.

Both kinds let through a method with a path that a whole regular expression matches, and
refuse the rest. An id or name in a path is one segment that begins with a letter or digit
(the engine's own rule, `RestrictedNamePattern`), so that no path leads out of it; only
the names of images and plugins have slashes.
"""

import re
from collections.abc import Mapping
from dataclasses import replace

from lab.docker_api import RIGHTS, Call, calls_of
from lab.plan.records import DockerFilterPlan, FilePlan, ServicePlan

SOCKET = "/var/run/docker.sock"
RULES_FILE = "/run/homelab/files/rules.list"
_VERSION = r"(?:/v[0-9]+\.[0-9]+)?"
_SEGMENT = "[a-zA-Z0-9][a-zA-Z0-9_.-]*"
_IMAGE_SEGMENT = "[a-zA-Z0-9][a-zA-Z0-9_.:@-]*"
_NAME_OF_IMAGE = f"{_IMAGE_SEGMENT}(?:/{_IMAGE_SEGMENT})*"
_PARAMETERS = {"images": _NAME_OF_IMAGE, "plugins": _NAME_OF_IMAGE}
# CetusGuard 1.0 to 1.1 matches what follows the question mark as well; the parameters of a call are no right.
_QUERY = r"(?:\?.*)?"


def configured(service: ServicePlan) -> ServicePlan:
    """A service with what its filter needs, if it is a proxy of the Docker API; any other one as it is."""
    if service.docker_filter is None:
        return service
    files = _files(service.docker_filter)
    return replace(
        service,
        environment={**service.environment, **environment(service.docker_filter)},
        files=(*service.files, *(FilePlan(path=path, content=text) for path, text in files.items())),
    )


def environment(proxy: DockerFilterPlan) -> dict[str, str]:
    """The variables of a proxy."""
    if proxy.kind == "cetusguard":
        return {
            "CETUSGUARD_BACKEND_ADDR": f"unix://{SOCKET}",
            "CETUSGUARD_FRONTEND_ADDR": f"tcp://:{proxy.port}",
            # The built-in rules allow /info to everybody.
            "CETUSGUARD_NO_BUILTIN_RULES": "true",
            "CETUSGUARD_RULES_FILE": RULES_FILE,
        }
    return {
        # Its network holds nobody but the service that asks it.
        "SP_ALLOWFROM": "0.0.0.0/0",
        "SP_LISTENIP": "0.0.0.0",
        "SP_PROXYPORT": str(proxy.port),
        "SP_SOCKETPATH": SOCKET,
        **{f"SP_ALLOW_{method}": pattern for method, pattern in _patterns(proxy).items()},
    }


def _files(proxy: DockerFilterPlan) -> dict[str, str]:
    return {RULES_FILE: rules(proxy)} if proxy.kind == "cetusguard" else {}


def rules(proxy: DockerFilterPlan) -> str:
    """The rules of a CetusGuard: a method and a pattern on each line, under the right that they are."""
    lines = [f"! What {proxy.consumer} may ask: {', '.join(proxy.rights)}; nothing else is let through."]
    told: set[Call] = set()
    for title, calls in (
        ("every client", calls_of(())),
        *((right, RIGHTS[right].calls) for right in proxy.rights),
    ):
        new = [call for call in calls if call not in told]
        told.update(new)
        lines += [f"! {title}", *(f"{call.method} {pattern(call)}{_QUERY}" for call in new)]
    return "\n".join(lines) + "\n"


def _patterns(proxy: DockerFilterPlan) -> Mapping[str, str]:
    """For each method one pattern of everything that is let through."""
    found: dict[str, list[str]] = {}
    for call in calls_of(proxy.rights):
        found.setdefault(call.method, []).append(pattern(call))
    # The proxy puts ^ and $ around the text as it is: alternatives without a group would be half open.
    return {method: f"(?:{'|'.join(parts)})" for method, parts in sorted(found.items())}


def pattern(call: Call) -> str:
    """The regular expression of a call's path, with or without a version before it; it has to match all of a path."""
    collection = call.path.split("/")[1]
    parts = re.split(r"\{[a-z]+\}", call.path)
    return _VERSION + _PARAMETERS.get(collection, _SEGMENT).join(re.escape(part) for part in parts)
