"""Where things are reached, and the secrets with which."""

import pulumi
import pytest

from components.providers import connect, with_overrides
from components.secrets import resolve_secrets
from lab.errors import SecretsMissing
from lab.plan.records import LabPlan, SecretRef
from tests.components import records as r
from tests.support.engine import Recording, Secret, record

PLAN = LabPlan(
    environment="dev",
    domain="dev.lab.example",
    docker_hosts=(r.HOST,),
    connections={
        "proxmox": "https://10.10.10.11:8006",
        "cloudflare": "https://api.cloudflare.com/client/v4",
        "tailscale": "https://api.tailscale.com",
    },
)


def test_connections_stay_without_overrides() -> None:
    """An empty environment changes nothing."""
    assert with_overrides(PLAN, {}) == PLAN


def test_an_api_is_reached_where_the_environment_says() -> None:
    """One variable for each API."""
    plan = with_overrides(PLAN, {"LAB_CONNECTION_PROXMOX": "https://127.0.0.1:1"})
    assert plan.connections["proxmox"] == "https://127.0.0.1:1"
    assert plan.connections["tailscale"] == PLAN.connections["tailscale"]


@pytest.mark.parametrize(
    ("environment", "connection"),
    [
        ({"LAB_CONNECTION_DOCKER": "unix:///run/{name}.sock"}, "unix:///run/docker-1.sock"),
        ({"LAB_CONNECTION_DOCKER_1": "tcp://127.0.0.1:2"}, "tcp://127.0.0.1:2"),
        (
            {
                "LAB_CONNECTION_DOCKER": "unix:///run/{name}.sock",
                "LAB_CONNECTION_DOCKER_1": "tcp://127.0.0.1:2",
            },
            "tcp://127.0.0.1:2",
        ),
    ],
)
def test_an_engine_is_reached_by_its_own_variable_or_by_the_pattern(
    environment: dict[str, str], connection: str
) -> None:
    """A host's own variable wins over the pattern for all hosts."""
    assert with_overrides(PLAN, environment).docker_hosts[0].connection == connection


def _resolved(names: list[str], config: dict[str, str], environment: dict[str, str]) -> Recording:
    def program() -> None:
        refs = [SecretRef(name) for name in names]
        pulumi.export("found", resolve_secrets(refs, pulumi.Config("homelab"), environment))

    return record(program, config=config, secret_keys=tuple(config))


def test_a_secret_comes_from_the_stack_or_the_environment() -> None:
    """The stack's own value wins, and both stay secret."""
    found = _resolved(
        ["db-password", "token"],
        {"homelab:db-password": "from the stack"},
        {"LAB_SECRET_DB_PASSWORD": "from the environment", "LAB_SECRET_TOKEN": "from the environment"},
    ).exports["found"]
    assert found == {"db-password": Secret("from the stack"), "token": Secret("from the environment")}


def test_all_missing_secrets_are_told_at_once() -> None:
    """The error names every secret that nobody provides, and both ways to provide it."""
    with pytest.raises(SecretsMissing) as caught:
        _resolved(["b", "a-key", "there"], {}, {"LAB_SECRET_THERE": "x", "LAB_SECRET_B": ""})
    assert str(caught.value) == (
        "secrets are missing: the lab has 2 problems; nothing was created\n"
        "  - a-key: no value: it is neither in the stack's configuration nor in the environment\n"
        "      repair: run `pulumi config set --secret a-key`, or set LAB_SECRET_A_KEY\n"
        "  - b: no value: it is neither in the stack's configuration nor in the environment\n"
        "      repair: run `pulumi config set --secret b`, or set LAB_SECRET_B"
    )


def test_a_provider_exists_for_each_credential() -> None:
    """An API that the lab has no credential for gets no provider."""

    def program() -> None:
        connect(PLAN, {"tailscale-key": pulumi.Output.secret("tskey-api-x")})

    recording = record(program)
    assert [found.type for found in recording.resources] == ["pulumi:providers:tailscale"]
    inputs = recording.resources[0].inputs
    assert inputs["baseUrl"] == "https://api.tailscale.com"
    assert inputs["apiKey"] == Secret("tskey-api-x")
    assert inputs["tailnet"] == "-"
