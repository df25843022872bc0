"""The modules of the model that are broken."""

SUBJECTS = tuple(
    f"lab.isolation.{name}"
    for name in (
        *("docker", "userland_proxy", "boxes", "engine", "guards", "grounds"),
        *("segments", "spots", "wires", "reach", "tailnet", "openings", "declared"),
    )
)
RENEWED = (
    "lab.isolation",
    "tests.evidence.conformance.expectation",
    "tests.evidence.conformance.comparison",
    "tests.evidence.conformance.recorded",
)
"""What is imported anew for each mutant: the model, and whatever holds a piece of it."""
