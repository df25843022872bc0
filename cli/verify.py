"""The verb `verify`: probe a running lab and print expected beside observed."""

import contextlib
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from docker import APIClient

from cli.connections import engine_of
from cli.observed import Observed, expectations_seen, verify_data
from cli.observed_text import verify_text
from cli.peers import peers
from cli.sandbox_status import SandboxStatus, settled_status
from cli.secrets import secret
from lab.flows import Endpoint
from lab.isolation import Proof, prove
from lab.plan.containers import GUARD_STACK
from lab.plan.directory import INGRESS
from lab.plan.records import IngressPlan, LabPlan
from probe.certificates import wait_until_trusted
from probe.containers import EngineUnreachable, Running, engine_client, running_containers
from probe.engines import facts_against
from probe.entry_points import EntryPointResult, check_entry_points
from probe.joined import JoinedSpace
from probe.matrix import Matrix, observe
from probe.names import NameResult, observe_names
from probe.questions import questions
from probe.routes import RouteResult, check_routes, ways_in
from probe.signing import Refusal, refusal_at
from probe.spaces import CannotEnter, LocalSpace, Space, canaries, canary_port

FINE, DIFFERENT, BAD_INPUT = 0, 1, 2
ROOTS_VARIABLE = "LAB_CERTIFICATE_ROOTS"
CERTIFICATE_SECONDS = 60.0
_FIRST = re.compile("-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
"""The certificate itself: what else is in the secret is no file's business."""


def verify_lab(plan: LabPlan, *, as_json: bool, every: bool, helpers: bool = False) -> int:
    """Probe every pair and every route, print what was seen, and answer with an exit code."""
    proof = prove(plan)
    try:
        running = [
            container
            for host in plan.docker_hosts
            for container in running_containers(host.name, engine_of(host), helpers=helpers)
        ]
        sandbox = settled_status(plan, running)
        started = time.monotonic()
        matrix, names = _seen(proof, running, sandbox, helpers)
        seconds = time.monotonic() - started
        facts = [f for host in plan.docker_hosts for f in facts_against(host, engine_of(host))]
    except (EngineUnreachable, CannotEnter) as error:
        print(error, file=sys.stderr)
        return BAD_INPUT
    observed = Observed(
        matrix=matrix,
        names=names,
        seconds=seconds,
        routes=_routes(plan, running, sandbox),
        entry_points=_entry_points(plan, running, sandbox),
        missing=tuple(_missing(plan, running)),
        facts=tuple(facts),
        stand_ins=tuple(sorted(container.endpoint for container in running if container.stand_in)),
        expectations=expectations_seen(proof, matrix),
        refusal=_refusal(plan, running),
        pinned=_pinned(plan) or "",
    )
    if as_json:
        print(json.dumps(verify_data(observed), indent=2))
    else:
        print("\n".join(verify_text(observed, every)))
    return DIFFERENT if observed.wrong else FINE


def _seen(
    proof: Proof, running: Sequence[Running], sandbox: SandboxStatus, helpers: bool
) -> tuple[Matrix, tuple[NameResult, ...]]:
    """Ask everything that can be asked here: from containers, and from hosts and segments whose namespace is here."""
    with contextlib.ExitStack() as stack:
        spaces = _spaces(proof, running, helpers, stack)
        if not spaces:
            asked = questions(proof, [Endpoint.parse(c.endpoint) for c in running], 0)
            return observe(asked, {}, ()), ()
        names = observe_names(proof.names, spaces, proof.plan.domain)
        for host in proof.plan.docker_hosts:
            if (namespace := sandbox.namespaces.get(host.name)) is not None:
                spaces[proof.reach.grounds.host_endpoint(host.name)] = LocalSpace(namespace)
        standing = stack.enter_context(peers(proof.plan, sandbox.segments, sandbox.peers))
        spaces |= {vlan: LocalSpace(peer.namespace) for vlan, peer in standing.items()}
        taken = {port.number for endpoint in spaces for port in proof.openings.ports(endpoint) if port}
        port = canary_port(taken)
        stand_ins = [Endpoint.parse(c.endpoint) for c in running if c.stand_in]
        stack.enter_context(canaries(spaces, port))
        asked = questions(proof, list(spaces), port, {vlan: peer.address for vlan, peer in standing.items()})
        return observe(asked, spaces, stand_ins), names


def _spaces(
    proof: Proof, running: Sequence[Running], helpers: bool, stack: contextlib.ExitStack
) -> dict[Endpoint, Space]:
    """Where each container can be probed from; one that shares its host's network is its host."""
    hosts = {host.name: host for host in proof.plan.docker_hosts}
    clients: dict[str, APIClient] = {}
    spaces: dict[Endpoint, Space] = {}
    for container in running:
        endpoint = Endpoint.parse(container.endpoint)
        if not container.pid or _shares_its_host(proof, endpoint):
            continue
        if not helpers:
            spaces[endpoint] = LocalSpace(f"/proc/{container.pid}/ns/net")
            continue
        if container.host not in clients:
            client = engine_client(engine_of(hosts[container.host]))
            clients[container.host] = stack.enter_context(contextlib.closing(client))
        image = hosts[container.host].loader_image
        spaces[endpoint] = JoinedSpace(clients[container.host], container.id, image)
    return spaces


def _shares_its_host(proof: Proof, endpoint: Endpoint) -> bool:
    return proof.reach.machine(endpoint) != endpoint or endpoint.name.startswith(f"{GUARD_STACK}/")


def _routes(plan: LabPlan, running: Sequence[Running], sandbox: SandboxStatus) -> tuple[RouteResult, ...]:
    if plan.ingress is None or not _may_ask_for_routes(running, sandbox):
        return ()
    stand_ins = frozenset(container.endpoint for container in running if container.stand_in)
    with _trusted(plan) as roots:
        if roots is not None and plan.asked_certificate is not None:
            _wait_for_certificate(plan.ingress, sandbox, roots)
        return check_routes(plan.ingress, sandbox.forwards, stand_ins, roots)


def _may_ask_for_routes(running: Sequence[Running], sandbox: SandboxStatus) -> bool:
    """Not where nothing is real, nor where the sandbox has no way in because Traefik does not run: on this machine
    the addresses of the lab lead anywhere. An ingress that is missing is told as that."""
    return any(c.pid and (not sandbox.here or c.endpoint == str(INGRESS)) for c in running)


@contextlib.contextmanager
def _trusted(plan: LabPlan) -> Iterator[Path | None]:
    """Whom to trust: the roots, or of a pair of secrets the certificate itself, so that no other one is right."""
    pinned = _pinned(plan)
    if pinned is None:
        yield certificate_roots(plan)
        return
    shown = _FIRST.search(secret(pinned, plan.environment) or "")
    if shown is None:
        _tell(
            f"the certificate of the routes is not judged: no certificate is to be had here in the secret {pinned}"
        )
        yield None
        return
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        file.write(f"{shown[0]}\n")
        file.flush()
        yield Path(file.name)


def _pinned(plan: LabPlan) -> str | None:
    """The secret with the one certificate that is right; None where an authority signs."""
    shown = plan.shown_certificate
    return shown.pair.certificate.name if shown is not None and shown.pair is not None else None


def _refusal(plan: LabPlan, running: Sequence[Running]) -> Refusal | None:
    """Why Traefik got no certificate at its last try, by its own log."""
    traefik = next((container for container in running if container.endpoint == str(INGRESS)), None)
    if traefik is None or plan.asked_certificate is None:
        return None
    host = next(host for host in plan.docker_hosts if host.name == traefik.host)
    return refusal_at(engine_of(host), traefik.id)


def _entry_points(
    plan: LabPlan, running: Sequence[Running], sandbox: SandboxStatus
) -> tuple[EntryPointResult, ...]:
    if plan.ingress is None or not _may_ask_for_routes(running, sandbox):
        return ()
    return check_entry_points(plan.ingress, sandbox.forwards, covered=plan.certificate is not None)


def certificate_roots(plan: LabPlan) -> Path | None:
    """The file with the roots that certificates of routes have to lead to.

    None where nobody says whom to trust, and where the ingress of the lab asks no authority.
    """
    path = Path(os.environ.get(ROOTS_VARIABLE) or "/")
    return path if plan.asked_certificate is not None and path.is_file() else None


def _wait_for_certificate(ingress: IngressPlan, sandbox: SandboxStatus, roots: Path) -> None:
    """An authority takes seconds to sign for a Traefik that has just been started."""
    deadline = time.monotonic() + CERTIFICATE_SECONDS
    for route, _, address, port in ways_in(ingress, sandbox.forwards):
        left = deadline - time.monotonic()
        if left <= 0 or not wait_until_trusted(address, port, route.host, roots, seconds=left, tell=_tell):
            return


def _tell(line: str) -> None:
    # Beside the output: with --json that is one document.
    print(line, file=sys.stderr, flush=True)


def _missing(plan: LabPlan, running: Sequence[Running]) -> list[str]:
    there = {container.endpoint for container in running}
    wanted = {str(s.endpoint) for stack in plan.stacks if stack.managed for s in stack.services}
    wanted |= {str(router.service.endpoint) for router in plan.subnet_routers if router.managed}
    wanted |= {str(guard.service.endpoint) for guard in plan.guards}
    if plan.ingress is not None and plan.ingress.managed:
        wanted.add("ingress")
    return sorted(wanted - there)
