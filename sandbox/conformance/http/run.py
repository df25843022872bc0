"""All recorded requests of some files, sent to the sandbox's APIs: figures by endpoint and by package."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from sandbox.conformance.errors import ConformanceError
from sandbox.conformance.figures import Figures, figures_of, total
from sandbox.conformance.http.api import Api
from sandbox.conformance.http.cloudflare import CloudflareApi
from sandbox.conformance.http.docker import DockerApi
from sandbox.conformance.http.proxmox import ProxmoxApi
from sandbox.conformance.http.replay import Answered, answered
from sandbox.conformance.http.tailscale import TailscaleApi
from sandbox.conformance.recording import Case

APIS: Final[Mapping[str, Callable[[], Api]]] = {
    "cloudflare": CloudflareApi,
    "docker": DockerApi,
    "proxmoxve": ProxmoxApi,
    "tailscale": TailscaleApi,
}


def http_outcomes(
    cases: Iterable[Case], progress: Callable[[int], None] = lambda done: None
) -> list[Answered]:
    """What became of every recorded request.

    Args:
        progress: called with the number of cases that are done.

    Raises:
        ConformanceError: a case is of a package whose API the sandbox does not have.
    """
    apis: dict[str, Api] = {}
    found: list[Answered] = []
    for done, case in enumerate(cases, 1):
        if case.package not in APIS:
            raise ConformanceError(
                f"{case.file}, case {case.id}: the sandbox has no API for the package {case.package}; "
                f"it has {', '.join(sorted(APIS))}."
            )
        if case.package not in apis:
            apis[case.package] = APIS[case.package]()
        found += answered(apis[case.package], case)
        progress(done)
    return found


def package_figures(outcomes: Iterable[Answered]) -> dict[str, Figures]:
    """The figures of each package, sorted."""
    by_package: dict[str, list[Answered]] = {}
    for outcome in outcomes:
        by_package.setdefault(outcome.case.package, []).append(outcome)
    return {name: total(figures_of(found).values()) for name, found in sorted(by_package.items())}
