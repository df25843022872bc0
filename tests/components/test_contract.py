"""What holds for every component, whoever adds the next one."""

import dataclasses
import functools
import inspect
import typing
from collections.abc import Mapping

import pulumi
import pytest

import components
from tests.components.records import CANARY
from tests.components.samples import SAMPLES
from tests.support.engine import Recording, Registration, record, visible

COMPONENTS = [
    name
    for name in components.__all__
    if isinstance(getattr(components, name), type)
    and issubclass(getattr(components, name), pulumi.ComponentResource)
]


@functools.cache
def _registered(kind: str, *names: str) -> Recording:
    return record(lambda: [SAMPLES[kind](name) for name in names])


def _own(recording: Recording, kind: str, name: str) -> list[Registration]:
    """What a component registered itself, without components inside it and what was made beside it."""
    return recording.children(recording.one(f"homelab:index:{kind}", name).urn)


def _public_outputs(kind: str) -> set[str]:
    hints = inspect.get_annotations(getattr(components, kind))
    return {name for name, hint in hints.items() if _is_live(hint) and not name.startswith("_")}


def _is_live(hint: object) -> bool:
    if typing.get_origin(hint) is Mapping:
        return _is_live(typing.get_args(hint)[1])
    return typing.get_origin(hint) is pulumi.Output


def test_every_component_has_a_sample() -> None:
    """A component cannot be added without being held to the contract."""
    assert sorted(SAMPLES) == sorted(COMPONENTS)


@pytest.mark.parametrize("kind", COMPONENTS)
def test_signature_is_name_args_opts(kind: str) -> None:
    """A component takes a name, one record of arguments, and options that may be left out."""
    parameters = list(inspect.signature(getattr(components, kind).__init__).parameters.values())[1:]
    assert [p.name for p in parameters] == ["name", "args", "opts"]
    assert parameters[1].annotation is getattr(components, f"{kind}Args")
    assert parameters[2].default is None


@pytest.mark.parametrize("kind", COMPONENTS)
def test_arguments_are_frozen_and_by_keyword(kind: str) -> None:
    """Arguments cannot change after they were given, nor be given by position."""
    args = getattr(components, f"{kind}Args")
    assert args.__dataclass_params__.frozen
    assert all(part.kw_only for part in dataclasses.fields(args))


@pytest.mark.parametrize("kind", COMPONENTS)
def test_token_is_that_of_the_class(kind: str) -> None:
    """The type token is three parts in one namespace, and names its class."""
    registered = _registered(kind, "one")
    assert registered.one(f"homelab:index:{kind}", "one") in registered.resources


@pytest.mark.parametrize("kind", COMPONENTS)
def test_children_descend_from_it_and_carry_its_name(kind: str) -> None:
    """Every resource has a component above it, and the name of that component in its own."""
    recording = _registered(kind, "one")
    by_urn = {found.urn: found for found in recording.resources}
    assert recording.descendants(recording.one(f"homelab:index:{kind}", "one").urn)
    for found in recording.resources:
        if found.parent in by_urn:
            assert found.name.startswith(by_urn[found.parent].name), found.urn
        else:
            assert not found.custom, f"{found.urn} has no component above it"


@pytest.mark.parametrize("kind", COMPONENTS)
def test_outputs_are_the_annotated_ones(kind: str) -> None:
    """A component registers its outputs, and exactly those that its class declares."""
    recording = _registered(kind, "one")
    urn = recording.one(f"homelab:index:{kind}", "one").urn
    assert set(recording.outputs[urn]) == _public_outputs(kind)
    assert _public_outputs(kind)


@pytest.mark.parametrize("kind", COMPONENTS)
def test_two_of_a_kind_do_not_collide(kind: str) -> None:
    """Two components of a kind register different resources."""
    urns = _registered(kind, "one", "two").urns()
    assert len(urns) == len(set(urns))


@pytest.mark.parametrize("kind", COMPONENTS)
def test_secrets_stay_secret(kind: str) -> None:
    """A secret that goes into a component is nowhere in clear: no input, output or trigger shows it."""
    recording = _registered(kind, "one")
    for found in recording.resources:
        assert CANARY not in visible([found.name, dict(found.inputs), found.replacement_trigger]), found.urn
    assert CANARY not in visible(recording.outputs)
    assert CANARY not in visible([text for _, text in recording.log])


@pytest.mark.parametrize("kind", COMPONENTS)
def test_a_preview_registers_the_same(kind: str) -> None:
    """What providers only compute when they create decides nothing about what there is."""
    update = _registered(kind, "one")
    preview = record(lambda: SAMPLES[kind]("one"), preview=True)
    assert preview.urns() == update.urns()


@pytest.mark.parametrize("kind", ["IsolatedServiceStack", "TraefikIngress", "ConfigVolume", "WildcardCert"])
def test_the_canary_is_really_there(kind: str) -> None:
    """The search for leaked secrets can fail: the value is among what is registered, marked secret."""
    recording = _registered(kind, "one")
    assert CANARY in repr([recording.resources, recording.outputs])
