"""What a resource type, a function and a package are to this framework, and the errors they may raise.

A type is a `ResourceType`: its properties, its dialect (how the official bridge answers for Terraform SDKv2
types
and for plugin-framework types differs), and `Calls`, an object that turns property values into API requests.
Nothing here knows gRPC.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Generic, Protocol, TypeVar

from sandbox.plugins.properties import Property
from sandbox.plugins.values import Values

Client = TypeVar("Client")
ContraClient = TypeVar("ContraClient", contravariant=True)


class Dialect(Enum):
    """Which of Terraform's two provider kits the official type is written with; the bridge answers
    accordingly.
    """

    SDK2 = "sdk2"
    FRAMEWORK = "framework"


class DeleteFirst(Enum):
    """When a replacement deletes the old object before it creates the new one."""

    NEVER = "never"
    NAMED = "named"  # the program chose the name, so that two cannot exist at once
    ALWAYS = "always"


class CallError(Exception):
    """A call failed; the text goes to the user as the resource's error and holds no secret."""


@dataclass
class PartialFailure(Exception):
    """A create or update failed after the object was written: the engine keeps this state and shows the
    reasons.
    """

    id: str
    state: Values
    reasons: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Existing:
    """An object that was found: its id, its outputs, and what was asked for where import derives inputs
    itself.
    """

    id: str
    state: Values
    inputs: Values | None = None


class Calls(Protocol[ContraClient]):
    """The requests of one resource type. All methods may raise `CallError`; values are known and not secret.

    `inputs` and `state` are the checked inputs and the last outputs. Methods run in worker threads, in
    parallel.
    """

    def create(self, client: ContraClient, inputs: Values) -> Existing:
        """Make the object and say what it became; `PartialFailure` when it exists but is not as asked."""
        ...

    def read(self, client: ContraClient, id: str, state: Values) -> Existing | None:
        """The object as it is now, or None when it is gone; `state` is empty on import."""
        ...

    def update(self, client: ContraClient, id: str, state: Values, inputs: Values) -> Values:
        """Change the object in place and give its new outputs."""
        ...

    def delete(self, client: ContraClient, id: str, state: Values) -> None:
        """Remove the object; an object that is gone is an error only where it is one officially."""
        ...


Check = Callable[[str, Values], Iterable[str]]
"""Extra checks of a type: (resource name, inputs with defaults) → reasons. Unknown values may be inside."""

DiffHook = Callable[[Values, Values, frozenset[str]], frozenset[str]]
"""(state, inputs, changed names) → the names that the official plugin says change: more, or fewer. `id`
replaces.
"""

PlanHook = Callable[[Values, Values | None], Values]
"""(planned outputs of a preview, state or None for a create) → planned outputs."""


def _no_checks(_name: str, _inputs: Values) -> Iterable[str]:
    return ()


def _same_changes(_state: Values, _inputs: Values, changed: frozenset[str]) -> frozenset[str]:
    return changed


def _same_plan(planned: Values, _state: Values | None) -> Values:
    return planned


def _nothing_to_close(_client: object) -> None:
    return


@dataclass(frozen=True, kw_only=True)
class ResourceType(Generic[Client]):
    """One resource type.

    Attributes:
        token: as the engine sends it, such as `docker:index/network:Network`.
        unsupported: property names of the official type that the sandbox does not have.
        check: refuses combinations that one property's rules cannot see.
        diff: adds names to, or takes names from, the changed ones (plugin-framework types name computed
        ones).
        plan: changes what a preview shows.
        zero_fields: upstream gives fields of objects their zero values as defaults, so that a preview shows
            them.
    """

    token: str
    dialect: Dialect
    properties: tuple[Property, ...]
    calls: Calls[Client]
    unsupported: frozenset[str] = frozenset()
    delete_first: DeleteFirst = DeleteFirst.NEVER
    check: Check = _no_checks
    diff: DiffHook = _same_changes
    plan: PlanHook = _same_plan
    zero_fields: bool = False

    @property
    def secret_names(self) -> frozenset[str]:
        """The top-level properties that are always secret."""
        return frozenset(item.name for item in self.properties if item.secret)


@dataclass(frozen=True, kw_only=True)
class Function(Generic[Client]):
    """One function (data source): its token, its arguments, and the call that answers it."""

    token: str
    arguments: tuple[Property, ...]
    call: Callable[[Client, Values], Values]
    unsupported: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Endpoints:
    """The only addresses a plugin may talk to: what `.sandbox/endpoints.json` says, by API name."""

    addresses: Mapping[str, str]
    file: str

    def refusal(self, api: str, what: str, given: str) -> str:
        """The sentence for an address outside the sandbox. The address must not hold credentials."""
        only = self.addresses.get(api, "(none: the sandbox is not started)")
        return (
            f"{what} is {given or '(not set)'}, which is not this checkout's sandbox. The stand-in"
            " plugin talks only"
            f" to {only} ({self.file}). Use the value from `.sandbox/env` (run `source"
            " .sandbox/env`), or install"
            " the official plugin to reach a real service."
        )


@dataclass(frozen=True, kw_only=True)
class Package(Generic[Client]):
    """One plugin: its name and version, the provider's configuration, its types and functions.

    Attributes:
        refuse: (configuration, endpoints) → why this configuration cannot be used; called by CheckConfig and
            Configure, without any request.
        connect: makes the client, without any request; called once per provider, at the first call that needs
            it.
        ahead: a module that this needs and that takes long to import, if even a preview comes to need it:
            imported in the background while the engine starts the other plugins.
    """

    name: str
    version: str
    configuration: tuple[Property, ...]
    types: tuple[ResourceType[Client], ...]
    connect: Callable[[Values, Endpoints], Client]
    refuse: Callable[[Values, Endpoints], Iterable[str]]
    ahead: str | None = None
    functions: tuple[Function[Client], ...] = ()
    close: Callable[[Client], None] = _nothing_to_close
    unsupported: frozenset[str] = frozenset()
    accepts_resources: bool = False
    diff_is_unknown: bool = False
    by_token: Mapping[str, ResourceType[Client]] = field(init=False)

    def __post_init__(self) -> None:
        """Index the types by their tokens."""
        object.__setattr__(self, "by_token", {item.token: item for item in self.types})
