"""Pending operations and the repaired state: pure functions over what `pulumi stack export` writes."""

import copy
from typing import Any

from cli.recovery.state import MARK, Adoption, marked, pending, repaired

STACK = "urn:pulumi:dev::homelab::pulumi:pulumi:Stack::homelab-dev"
PROVIDER = "urn:pulumi:dev::homelab::homelab:index:DockerHost$pulumi:providers:docker::docker-1"
COMPONENT = "urn:pulumi:dev::homelab::homelab:index:DockerHost::docker-1"
NETWORK = "urn:pulumi:dev::homelab::homelab:index:DockerHost$docker:index/network:Network::docker-1-net"
CONTAINER = "urn:pulumi:dev::homelab::homelab:index:DockerHost$docker:index/container:Container::docker-1-app"
SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:abc"}


def resource(urn: str, **more: Any) -> dict[str, Any]:
    """A resource as the state has it."""
    type_ = urn.split("::")[2].rpartition("$")[2]
    return {"urn": urn, "type": type_, "custom": not type_.startswith("homelab:"), **more}


def network(**more: Any) -> dict[str, Any]:
    """The network that is created in most of these tests."""
    inputs = {"__defaults": [], "name": "net", "options": {"__defaults": [], "a": "b"}, "token": SECRET}
    return resource(NETWORK, parent=COMPONENT, provider=f"{PROVIDER}::1234", inputs=inputs, **more)


def exported(*resources: dict[str, Any], operations: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    """A state with a host, and more."""
    base = [
        resource(STACK),
        resource(COMPONENT, parent=STACK),
        resource(PROVIDER, parent=COMPONENT, id="1234"),
    ]
    deployment: dict[str, Any] = {"resources": [*base, *resources]}
    if operations:
        deployment["pending_operations"] = operations
    return {"version": 3, "deployment": deployment}


def creating(made: dict[str, Any]) -> dict[str, Any]:
    """A pending create."""
    return {"type": "creating", "resource": made}


def test_operations_say_what_and_where() -> None:
    """A pending create is read with its package, its provider's name and its inputs."""
    (operation,) = pending(exported(operations=[creating(network())]))

    assert (operation.kind, operation.package, operation.provider, operation.name) == (
        "creating",
        "docker",
        "docker-1",
        "docker-1-net",
    )
    assert operation.inputs["name"] == "net"
    assert operation.outside


def test_components_and_providers_are_the_engines_own() -> None:
    """Nothing at the outside belongs to them."""
    found = pending(exported(operations=[creating(resource(COMPONENT)), creating(resource(PROVIDER))]))

    assert [operation.outside for operation in found] == [False, False]


def test_ids_of_the_state_are_taken() -> None:
    """A pending create cannot be an object that the state has as another resource."""
    other = resource(NETWORK.replace("docker-1-net", "docker-1-other"), id="beef")
    (operation,) = pending(exported(other, operations=[creating(network())]))

    assert operation.taken == {"beef"}


def test_a_state_without_operations_has_nothing_pending() -> None:
    """A whole state, an empty one and one of a new stack alike."""
    assert pending(exported()) == pending({"deployment": None}) == pending({}) == ()
    assert marked({"deployment": None}) == ()


def test_an_adopted_resource_is_as_the_engine_writes_it() -> None:
    """It has the id, the inputs, outputs without bookkeeping, and the mark that asks for a refresh."""
    document = exported(operations=[creating(network())])
    before = copy.deepcopy(document)
    (operation,) = pending(document)

    deployment = repaired(document, [Adoption(operation=operation, id="cafe")])["deployment"]

    made = deployment["resources"][-1]
    assert (made["id"], made["inputs"], made["initErrors"]) == ("cafe", network()["inputs"], [MARK])
    assert made["outputs"]["options"] == {"a": "b"}
    assert made["outputs"]["id"] == "cafe"
    assert "pending_operations" not in deployment
    assert marked({"deployment": deployment}) == (NETWORK,)
    assert document == before


def test_secrets_stay_ciphertext() -> None:
    """What was encrypted in an operation is the same ciphertext in the resource, inputs and outputs alike."""
    document = exported(operations=[creating(network())])
    (operation,) = pending(document)
    made = repaired(document, [Adoption(operation=operation, id="1")])["deployment"]["resources"][-1]

    assert made["inputs"]["token"] == made["outputs"]["token"] == SECRET


def test_what_is_half_there_is_replaced_and_not_refreshed() -> None:
    """A refresh would find nothing wrong with it."""
    document = exported(operations=[creating(network())])
    (operation,) = pending(document)
    new = repaired(document, [Adoption(operation=operation, id="1", replace=True)])

    assert new["deployment"]["resources"][-1]["taint"] is True
    assert marked(new) == ()


def test_what_was_already_deleted_for_it_goes() -> None:
    """The entry that waited for its replacement is not there twice."""
    document = exported(network(id="old", pendingReplacement=True), operations=[creating(network())])
    (operation,) = pending(document)
    new = repaired(document, [Adoption(operation=operation, id="new")])

    assert [r["id"] for r in new["deployment"]["resources"] if r["urn"] == NETWORK] == ["new"]


def test_what_it_replaces_is_deleted_later() -> None:
    """A predecessor that is still there becomes one that the engine deletes, and is not lost."""
    document = exported(network(id="old"), operations=[creating(network())])
    (operation,) = pending(document)
    new = repaired(document, [Adoption(operation=operation, id="new")])
    both = {r["id"]: r.get("delete", False) for r in new["deployment"]["resources"] if r["urn"] == NETWORK}

    assert both == {"old": True, "new": False}


def test_everything_comes_after_what_it_needs() -> None:
    """A replaced network stands before the container that already depends on it."""
    container = resource(CONTAINER, id="c", parent=COMPONENT, propertyDependencies={"networks": [NETWORK]})
    document = exported(container, operations=[creating(network())])
    (operation,) = pending(document)
    new = repaired(document, [Adoption(operation=operation, id="new")])
    order = [r["urn"] for r in new["deployment"]["resources"]]

    assert order.index(PROVIDER) < order.index(NETWORK) < order.index(CONTAINER)
    assert order[0] == STACK


def test_interrupted_updates_are_marked_where_they_are() -> None:
    """The import drops their operation; the mark makes a second recovery go on with them."""
    there = network(id="n")
    document = exported(there, operations=[{"type": "updating", "resource": there}])
    new = repaired(document, [], pending(document))

    assert marked(new) == (NETWORK,)
    assert [r["id"] for r in new["deployment"]["resources"] if r["urn"] == NETWORK] == ["n"]
