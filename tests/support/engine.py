"""An engine that records: the real SDK registers, and nothing is created.

Pulumi's own mocks show neither parents nor options nor secrets. This monitor keeps each
registration as it arrived on the wire, so that a test may assert on it and not inside
an `apply`, which may never run. Each recording has its own event loop and its own
runtime settings, so that nothing leaks from one test into the next.
"""

import asyncio
import contextvars
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime import mocks
from pulumi.runtime.config import set_all_config
from pulumi.runtime.proto import engine_pb2, provider_pb2, resource_pb2
from pulumi.runtime.rpc import UNKNOWN
from pulumi.runtime.settings import configure
from pulumi.runtime.stack import run_in_stack

NEW_TAILNET = '// everybody may\n{"grants": [{"src": ["*"], "dst": ["*"], "ip": ["*"]}]}\n'
"""The policy of a tailnet that nobody has changed."""
_SIGNATURE = "4dabf18193072939515e22adb298388d"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"


@dataclass(frozen=True, kw_only=True)
class Registration:
    """One resource as the program registered it."""

    urn: str
    type: str
    name: str
    parent: str
    custom: bool
    inputs: Mapping[str, Any]
    """Plain values; a secret is `Secret(value)`."""
    provider: str
    protect: bool
    retain_on_delete: bool
    delete_before_replace: bool | None
    depends_on: frozenset[str]
    ignore_changes: tuple[str, ...]
    replace_on_changes: tuple[str, ...]
    replace_with: tuple[str, ...]
    deleted_with: str
    replacement_trigger: Any
    before_create: tuple[str, ...]


@dataclass(frozen=True)
class Secret:
    """A value that was marked secret."""

    value: Any


@dataclass(frozen=True, kw_only=True)
class Zones:
    """The public zones as Cloudflare has them before a program runs."""

    records: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    """By the zone's name, as the API shows them."""
    missing: frozenset[str] = frozenset()
    permissions: tuple[str, ...] = ("#dns_records:read", "#dns_records:edit")
    may_mint: bool = True
    """Whether the credential that shall make tokens may."""
    seen: list[Registration] = field(default_factory=list)
    """Is given what was registered before a program that is refused ended."""


_GROUPS = "cloudflare:index/getApiTokenPermissionGroupsList:getApiTokenPermissionGroupsList"


class RefusedByProvider(grpc.RpcError):
    """The provider's refusal, as the engine hands it on."""

    def code(self) -> grpc.StatusCode:
        """Of every refusal of a provider."""
        return grpc.StatusCode.UNKNOWN

    def details(self) -> str:
        """What the provider said."""
        return str(self.args[0])


@dataclass
class Recording:
    """What a program did."""

    resources: list[Registration] = field(default_factory=list)
    outputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Registered outputs by URN."""
    invokes: list[tuple[str, str]] = field(default_factory=list)
    """Functions that were called, with their provider."""
    log: list[tuple[str, str]] = field(default_factory=list)
    hooks: list[str] = field(default_factory=list)

    def of(self, type_: str) -> list[Registration]:
        """Every resource of a type, given by its token or by the end of it."""
        return [found for found in self.resources if found.type == type_ or found.type.endswith(f":{type_}")]

    def one(self, type_: str, name: str | None = None) -> Registration:
        """The only resource of a type, or the one of that name."""
        found = [part for part in self.of(type_) if name is None or part.name == name]
        assert len(found) == 1, f"{len(found)} resources of {type_} {name or ''}: {self.urns()}"
        return found[0]

    def urns(self) -> list[str]:
        """Every URN, sorted."""
        return sorted(found.urn for found in self.resources)

    def children(self, urn: str) -> list[Registration]:
        """The resources whose parent this is."""
        return [found for found in self.resources if found.parent == urn]

    def descendants(self, urn: str) -> list[Registration]:
        """The resources below this one."""
        below = self.children(urn)
        return below + [part for child in below for part in self.descendants(child.urn)]

    @property
    def exports(self) -> dict[str, Any]:
        """What the program exported."""
        return next(
            (outputs for urn, outputs in self.outputs.items() if "pulumi:pulumi:Stack" in urn.split("::")[2]),
            {},
        )


def record(
    program: Callable[[], object],
    *,
    stack: str = "dev",
    preview: bool = False,
    config: Mapping[str, str] | None = None,
    secret_keys: tuple[str, ...] = (),
    deployed: Mapping[str, Any] | None = None,
    policy: str | None = NEW_TAILNET,
    zones: Zones | None = None,
) -> Recording:
    """Run a program against the recording engine.

    Args:
        program: registers resources.
        stack: the name of the Pulumi stack.
        preview: whether what providers compute is unknown.
        config: the stack's configuration, with full keys such as `homelab:lab`.
        secret_keys: the keys of it that are secret.
        deployed: the outputs of the last update, for a program that reads its own.
        policy: the policy in force at Tailscale, JSON with comments that have lines of their own; None where it
            may not be read.
        zones: what the public zones hold.

    Raises:
        Exception: whatever the program raises.
    """
    monitor = RecordingMonitor(stack, preview, deployed or {}, policy, zones or Zones())

    def registered() -> None:
        program()

    def run() -> None:
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        try:
            info: Any = monitor.GetDeploymentInfo(empty_pb2.Empty())  # type: ignore[no-untyped-call]
            configure(
                mocks.MockSettings(
                    monitor=monitor,
                    monitor_features=set(info.supportedFeatures),
                    engine=_RecordingEngine(monitor.recording),
                    project="homelab",
                    stack=stack,
                    dry_run=preview,
                    organization="organization",
                    callbacks=None,
                )
            )
            set_all_config(dict(config or {}), list(secret_keys))
            loop.run_until_complete(run_in_stack(registered))
        finally:
            asyncio.set_event_loop(None)
            loop.close()

    contextvars.copy_context().run(run)
    return monitor.recording


class RecordingMonitor(mocks.MockMonitor):
    """Keeps registrations as they arrive, and answers as the providers would."""

    def __init__(
        self, stack: str, preview: bool, deployed: Mapping[str, Any], policy: str | None, zones: Zones
    ) -> None:
        self.recording = Recording()
        self._policy, self._zones = policy, zones
        self._stack, self._preview, self._deployed = stack, preview, deployed

    def RegisterResource(self, request: Any) -> Any:
        """Keep a registration; its outputs are its inputs and what its provider would add."""
        urn = self._urn(request.parent, request.type, request.name)
        if request.type == "pulumi:pulumi:Stack":
            return resource_pb2.RegisterResourceResponse(urn=urn)
        found = _registration(request, urn)
        self.recording.resources.append(found)
        self._zones.seen.append(found)
        if not request.custom:
            return resource_pb2.RegisterResourceResponse(urn=urn)
        outputs = struct_pb2.Struct()
        outputs.CopyFrom(request.object)
        for key, value in _computed(found).items():
            outputs.update({key: UNKNOWN if self._preview else value})
        is_provider = request.type.startswith("pulumi:providers:")
        known = is_provider or not self._preview
        return resource_pb2.RegisterResourceResponse(
            urn=urn, id=f"{request.name}-id" if known else "", object=outputs
        )

    def ReadResource(self, request: Any) -> Any:
        """Answer what a stack's last update left behind; nothing else is read."""
        assert request.type == "pulumi:pulumi:StackReference", request.type
        found = struct_pb2.Struct()
        found.CopyFrom(request.properties)
        found.update({"outputs": dict(self._deployed), "secretOutputNames": []})
        return resource_pb2.ReadResourceResponse(
            urn=self._urn(request.parent, request.type, request.name), properties=found
        )

    def RegisterResourceOutputs(self, request: Any) -> Any:
        """Keep a component's outputs."""
        assert request.urn not in self.recording.outputs, f"{request.urn} registered its outputs twice"
        self.recording.outputs[request.urn] = _plain(request.outputs)
        return empty_pb2.Empty()

    def RegisterResourceHook(self, request: Any) -> Any:
        """Keep a hook's name."""
        self.recording.hooks.append(request.name)
        return empty_pb2.Empty()

    RegisterErrorHook = RegisterResourceHook

    def Invoke(self, request: Any) -> Any:
        """Answer the functions in use: a zone and the records in it, and the policy of a tailnet."""
        self.recording.invokes.append((request.tok, request.provider))
        if self._policy is None and request.tok == "tailscale:index/getAcl:getAcl":
            forbidden = provider_pb2.CheckFailure(property="", reason="Failed to fetch ACL: forbidden (403)")
            return resource_pb2.ResourceInvokeResponse(failures=[forbidden])
        if request.tok == _GROUPS and not self._zones.may_mint:
            raise RefusedByProvider(
                f'{_GROUPS} returned an error: GET "https://x/user/tokens": 403 Forbidden'
            )
        answer = struct_pb2.Struct()
        answer.update(self._answers(json_format.MessageToDict(request.args))[request.tok])
        return resource_pb2.ResourceInvokeResponse(**{"return": answer})

    def _answers(self, arguments: dict[str, Any]) -> dict[str, dict[str, Any]]:
        zone, zone_id = arguments.get("filter", {}).get("name", ""), str(arguments.get("zoneId", ""))
        if zone in self._zones.missing:
            raise RefusedByProvider(f'failed to find exactly one result: found 0 for "{zone}"')
        return {
            "cloudflare:index/getZone:getZone": {
                "id": f"id-of-{zone}",
                "zoneId": f"id-of-{zone}",
                "name": zone,
                "permissions": list(self._zones.permissions),
            },
            "tailscale:index/getAcl:getAcl": {
                "id": "acl-1",
                "hujson": self._policy,
                "json": _plain_json(self._policy or ""),
            },
            _GROUPS: {"results": []},
            "cloudflare:index/getDnsRecords:getDnsRecords": {
                "zoneId": zone_id,
                "results": list(self._zones.records.get(zone_id.removeprefix("id-of-"), ())),
            },
        }

    def _urn(self, parent: str, type_: str, name: str) -> str:
        if parent:
            chain = parent.split("::")[2]
            type_ = type_ if chain == "pulumi:pulumi:Stack" else f"{chain}${type_}"
        return f"urn:pulumi:{self._stack}::homelab::{type_}::{name}"


def _plain_json(policy: str) -> str:
    return "\n".join(line for line in policy.splitlines() if not line.strip().startswith("//"))


class _RecordingEngine(mocks.MockEngine):
    def __init__(self, recording: Recording) -> None:
        super().__init__(None)
        self._recording = recording

    def Log(self, request: Any) -> None:
        severity = engine_pb2.LogSeverity.Name(request.severity).lower()
        if severity != "debug":
            self._recording.log.append((severity, request.message))


def _computed(found: Registration) -> dict[str, Any]:
    """What the providers in use add to the inputs."""
    short = found.type.rpartition(":")[2]
    if short == "RemoteImage":
        return {"imageId": f"sha256:{found.name}"}
    if short == "TailnetKey":
        return {"key": {_SIGNATURE: _SECRET, "value": f"tskey-auth-{found.name}"}}
    if short == "ApiToken":
        return {"value": {_SIGNATURE: _SECRET, "value": f"token-of-{found.name}"}}
    if short == "VmLegacy":
        disks = [
            {**disk, "pathInDatastore": disk.get("pathInDatastore") or f"vm-{found.inputs['vmId']}-disk-{n}"}
            for n, disk in enumerate(found.inputs.get("disks", []))
        ]
        return {"disks": disks}
    return {}


def _registration(request: Any, urn: str) -> Registration:
    trigger = request.replacement_trigger if request.HasField("replacement_trigger") else None
    return Registration(
        urn=urn,
        type=request.type,
        name=request.name,
        parent=request.parent,
        custom=request.custom,
        inputs=_plain(request.object),
        provider=request.provider.rpartition("::")[0] if request.provider else "",
        protect=request.protect,
        retain_on_delete=request.retainOnDelete,
        delete_before_replace=request.deleteBeforeReplace if request.deleteBeforeReplaceDefined else None,
        depends_on=frozenset(request.dependencies),
        ignore_changes=tuple(request.ignoreChanges),
        replace_on_changes=tuple(request.replaceOnChanges),
        replace_with=tuple(request.replace_with),
        deleted_with=request.deletedWith,
        replacement_trigger=None if trigger is None else _value(json_format.MessageToDict(trigger)),
        before_create=tuple(request.hooks.before_create),
    )


def _plain(struct: struct_pb2.Struct) -> dict[str, Any]:
    return {key: _value(value) for key, value in json_format.MessageToDict(struct).items()}


def _value(value: Any) -> Any:
    if isinstance(value, dict):
        if value.get(_SIGNATURE) == _SECRET:
            return Secret(_value(value["value"]))
        return {key: _value(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_value(part) for part in value]
    # The wire knows only floating-point numbers.
    return int(value) if isinstance(value, float) and value.is_integer() else value


def visible(value: Any) -> str:
    """Everything of a value that is not marked secret, as text to search."""
    return json.dumps(list(_visible(value)))


def _visible(value: Any) -> Iterator[str]:
    if isinstance(value, Secret):
        return
    if isinstance(value, dict):
        for key, part in value.items():
            yield str(key)
            yield from _visible(part)
    elif isinstance(value, list):
        for part in value:
            yield from _visible(part)
    else:
        yield str(value)
