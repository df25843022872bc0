"""The files of the resolver inside, whichever software it is."""

from lab.plan.records import ResolverPlan
from lab.render.adguard import adguard_files
from lab.render.bind9 import bind9_files

_RENDERERS = {"bind9": bind9_files, "adguard": adguard_files}


def resolver_files(resolver: ResolverPlan | None) -> dict[str, str]:
    """Every file by its whole path; none where there is no resolver, or one that is configured elsewhere."""
    if resolver is None or resolver.software not in _RENDERERS:
        return {}
    return _RENDERERS[resolver.software](resolver)
