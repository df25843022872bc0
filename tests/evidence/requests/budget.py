"""How much is asked: 10,000 requests in runs, each on fresh state, long enough that requests meet what others left."""

from hypothesis import HealthCheck, Phase, settings

PER_RUN = 40
"""Requests of one run."""

TEN_THOUSAND = settings(
    max_examples=10_000 // PER_RUN,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
    # To shrink that many requests takes minutes; a failing run is printed as it is.
    phases=[Phase.explicit, Phase.generate],
)
