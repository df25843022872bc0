"""Where a running lab is reached from here: the plan's connections, and what overrides them."""

import os

from lab.names import environment_variable
from lab.plan.records import DockerHostPlan, LabPlan

_PREFIX = "LAB_CONNECTION"


def engine_of(host: DockerHostPlan) -> str:
    """Where a Docker host's engine is.

    `LAB_CONNECTION_<NAME>` overrides one host, `LAB_CONNECTION_DOCKER` every one, with
    `{name}` standing for the host's name.
    """
    own = os.environ.get(environment_variable(_PREFIX, host.name))
    every = os.environ.get(f"{_PREFIX}_DOCKER", "")
    return own or every.replace("{name}", host.name) or host.connection


def api_of(plan: LabPlan, name: str) -> str:
    """Where the API `proxmox`, `cloudflare` or `tailscale` is; `LAB_CONNECTION_<NAME>` overrides it."""
    return os.environ.get(environment_variable(_PREFIX, name)) or plan.connections[name]
