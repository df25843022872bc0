"""The real program, run on every lab of the repository against a recording engine."""

import functools
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pulumi
import pytest

from lab.plan import load_plan
from tests.support.engine import Recording, Registration, Zones, visible
from tests.support.pairs import pair
from tests.support.plans import plan_of
from tests.support.program import CANARY, LABS, ROOT, prepare, run

every_lab = pytest.mark.parametrize("name", LABS)


@pytest.fixture(scope="module")
def update(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Recording]:
    """An update of a lab, run once for all tests that only look at it."""
    return functools.cache(lambda name: run(prepare(tmp_path_factory.mktemp(name), name)))


@every_lab
def test_what_is_created_is_what_was_agreed(
    name: str, update: Callable[[str], Recording], update_golden: bool
) -> None:
    """Every URN of a lab is in its golden list: a renamed resource is a replaced one, and shows in review."""
    found = "".join(f"{urn}\n" for urn in update(name).urns())
    golden = ROOT / "tests" / "golden" / f"urns.{name}.txt"
    if update_golden:
        golden.write_text(found)
    assert golden.exists(), f"no {golden.name}; write it with `pytest --update-golden` and read it"
    assert found == golden.read_text()


@every_lab
def test_a_preview_registers_what_the_update_does(
    name: str, update: Callable[[str], Recording], tmp_path: Path
) -> None:
    """Nothing depends on a value that is only known after something was created."""
    assert run(prepare(tmp_path, name), preview=True).urns() == update(name).urns()


@every_lab
def test_no_secret_is_seen(name: str, update: Callable[[str], Recording]) -> None:
    """No value of a secret is in any input, output, trigger or message that is not marked secret."""
    recording = update(name)
    for found in recording.resources:
        shown = visible([found.name, dict(found.inputs), found.replacement_trigger])
        assert CANARY not in shown, found.urn
    assert CANARY not in visible(recording.outputs)
    assert CANARY not in visible([text for _, text in recording.log])


@every_lab
def test_no_default_provider_is_used(name: str, update: Callable[[str], Recording]) -> None:
    """Everything that is created is reached through a provider that the lab names."""
    recording = update(name)
    for found in recording.resources:
        if found.custom and not found.type.startswith("pulumi:providers:"):
            assert found.provider, f"{found.urn} lands on a default provider"
    assert all(provider for _, provider in recording.invokes)


@every_lab
def test_what_is_observed_is_left_alone(name: str, update: Callable[[str], Recording]) -> None:
    """Of a stack, guest, node or ingress that is only observed, nothing is registered."""
    recording, plan = update(name), plan_of(LABS[name])
    names = [found.name for found in recording.resources]
    parts = [f"guest-{guest.name}" for guest in plan.guests if not guest.managed]
    parts += [f"node-{node.name}" for node in plan.nodes if not node.managed]
    parts += [f"{stack.host}-{stack.name}" for stack in plan.stacks if not stack.managed]
    if plan.ingress is not None and not plan.ingress.managed:
        parts.append(f"{plan.ingress.host}-ingress")
    assert [part for part in parts if part in names] == []


@every_lab
def test_the_protected_set_is_the_declared_one(name: str, update: Callable[[str], Recording]) -> None:
    """Protected are the holders of data disks and what a lab declares so, and nothing else."""
    plan = plan_of(LABS[name])
    expected = {f"guest-{g.name}-data" for g in plan.guests if g.managed and g.kind == "vm" and g.data_disks}
    expected |= {
        f"guest-{g.name}"
        for g in plan.guests
        if g.managed and (g.protect or (g.kind == "lxc" and g.data_disks))
    }
    expected |= {
        f"{stack.host}-{stack.name}-{service.name}-{volume.name}"
        for stack in plan.stacks
        if stack.managed
        for service in stack.services
        for volume in service.volumes
        if volume.protect
    }
    assert {found.name for found in update(name).resources if found.protect} == expected


@every_lab
def test_everything_that_runs_starts_behind_the_guard_of_its_host(
    name: str, update: Callable[[str], Recording]
) -> None:
    """No container of a host is started before its guard's is there, and with it rules that are in force."""
    recording = update(name)
    by_urn = {found.urn: found for found in recording.resources}
    guards = {
        guard.host: recording.one("Container", f"{guard.host}-guard") for guard in plan_of(LABS[name]).guards
    }
    running = [found for found in recording.of("Container") if found.inputs.get("start", True)]
    assert {by_urn[found.provider].name for found in running} == set(guards)
    for found in running:
        guard = guards[by_urn[found.provider].name]
        above = [found, *_above(found, by_urn)]
        assert found == guard or [part for part in above if guard.urn in part.depends_on], found.urn


def _above(found: Registration, by_urn: dict[str, Registration]) -> Iterator[Registration]:
    """The components that a resource is inside of; the engine does not create it before theirs are registered."""
    while (parent := by_urn.get(found.parent)) is not None:
        yield parent
        found = parent


def test_a_new_flow_touches_only_packet_filters(update: Callable[[str], Recording], tmp_path: Path) -> None:
    """Another permission is other rules of the guest and of the guard; no guest, network or service is replaced."""
    lab_file = prepare(tmp_path, "dev")
    more = '    flows:\n      - {from: "vlan:iot", to: "ingress:443", because: a test}\n'
    lab_file.write_text(lab_file.read_text().replace("    flows:\n", more))
    before, after = update("dev"), run(lab_file)
    assert before.urns() == after.urns()
    changed = [found for found in before.resources if after.one(found.type, found.name) != found]
    assert {(found.type, found.name) for found in changed} == {
        ("docker:index/container:Container", "docker-1-guard-files-loader"),
        ("proxmoxve:firewall/rulesLegacy:RulesLegacy", "guest-docker-1-rules"),
    }


def test_the_output_tells_what_is_deployed(update: Callable[[str], Recording]) -> None:
    """The one output is versioned, and names the lab's endpoints and URLs."""
    exports = update("dev").exports
    assert set(exports) == {"lab"}
    assert exports["lab"]["version"] == 3
    assert exports["lab"]["environment"] == "dev"
    assert "service:vaultwarden/db" in {part["endpoint"] for part in exports["lab"]["endpoints"]}
    assert all(url.startswith("https://") for url in exports["lab"]["urls"])


def test_missing_secrets_stop_the_program_before_anything(tmp_path: Path) -> None:
    """Without secrets there is one readable error that lists all of them, and no registration."""
    lab_file = prepare(tmp_path, "dev")
    with pytest.raises(pulumi.RunError) as caught:
        run(lab_file, secrets=False)
    wanted = load_plan(lab_file).secrets
    assert len(wanted) > 1
    for secret in wanted:
        assert f"  - {secret.name}: no value" in str(caught.value)


def test_a_preview_without_a_ledger_warns(tmp_path: Path) -> None:
    """A preview shows what an update would refuse, and how to repair it."""
    log = run(prepare(tmp_path, "dev", recorded=False), preview=True).log
    assert [text for severity, text in log if severity == "warning" and "lab ledger --write" in text]


def test_an_update_without_a_ledger_is_refused(tmp_path: Path) -> None:
    """Nothing is given out that the next change could move."""
    with pytest.raises(pulumi.RunError, match="run `lab ledger --write`"):
        run(prepare(tmp_path, "dev", recorded=False))


def test_bad_input_is_a_list_and_no_stack_trace(tmp_path: Path) -> None:
    """A lab that cannot be stops the program with its problems, as an error without a cause to print."""
    lab_file = prepare(tmp_path, "dev")
    lab_file.write_text(lab_file.read_text().replace("host: docker-1", "host: docker-9", 1))
    with pytest.raises(pulumi.RunError) as caught:
        run(lab_file, secrets=False)
    assert "docker-9" in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_the_program_is_short() -> None:
    """`__main__.py` reads as a table of contents: under 60 lines."""
    assert len((ROOT / "__main__.py").read_text().splitlines()) < 60


def with_a_pair(folder: Path) -> Path:
    """The dev lab, with a certificate that its owner's authority has signed."""
    lab_file = prepare(folder, "dev")
    asks = "ca: letsencrypt-staging, email: admin@example.com}"
    shows = "ca: own, pair: {certificate: own-certificate, key: own-key}}"
    text = lab_file.read_text()
    assert asks in text
    lab_file.write_text(text.replace(asks, shows))
    return lab_file


@pytest.mark.parametrize("preview", [False, True])
def test_an_unfit_pair_stops_the_program(tmp_path: Path, preview: bool) -> None:
    """All that is wrong with it, before anything is registered, in a preview as in an update."""
    ended = pair("*.dev.lab.example", begins=datetime.now(UTC) - timedelta(days=400))
    values = {"own-certificate": ended.certificate, "own-key": ended.locked}
    registered: list[Registration] = []
    with pytest.raises(pulumi.RunError) as caught:
        run(with_a_pair(tmp_path), preview=preview, values=values, zones=Zones(seen=registered))
    lines = str(caught.value).splitlines()
    assert lines[0] == "the certificate's pair of secrets has 2 problems; nothing was created"
    assert [line.partition(" on ")[0] for line in lines if line.startswith("  - ")] == [
        "  - own-certificate: it ended",
        "  - own-key: it has a passphrase, for which Traefik cannot ask",
    ]
    assert registered == []


def test_a_pair_takes_no_permission_to_sign(update: Callable[[str], Recording], tmp_path: Path) -> None:
    """What an authority needs is not created, everything else is as before, and nothing of the key is seen."""
    given = pair("*.dev.lab.example", begins=datetime.now(UTC) - timedelta(days=1))
    values = {"own-certificate": given.certificate, "own-key": given.key}
    recording = run(with_a_pair(tmp_path), values=values)
    before, after = update("dev").urns(), recording.urns()
    assert set(after) <= set(before)
    assert {urn.rpartition("::")[2] for urn in set(before) - set(after)} == {
        "certificate",
        "certificate-dev.lab.example-caa-issue",
        "certificate-dev.lab.example-caa-issuewild",
    }
    for found in recording.resources:
        shown = visible([found.name, dict(found.inputs), found.replacement_trigger])
        assert not [line for line in given.key.splitlines()[1:-1] if line in shown], found.urn


def test_a_new_pair_touches_only_traefik(tmp_path: Path) -> None:
    """What is replaced is what brings the files, and with it the container that has read them."""
    lab_file = with_a_pair(tmp_path)
    yesterday = datetime.now(UTC) - timedelta(days=1)
    before, after = (
        run(lab_file, values={"own-certificate": given.certificate, "own-key": given.key})
        for given in (pair("*.dev.lab.example", begins=yesterday, days=days) for days in (60, 90))
    )
    [loader] = [found for found in before.resources if after.one(found.type, found.name) != found]
    assert loader.name.endswith("-ingress-traefik-secrets-loader")
    assert [found.name for found in before.resources if loader.urn in found.replace_with] == [
        loader.name.removesuffix("-secrets-loader")
    ]


@pytest.mark.parametrize("preview", [False, True])
def test_a_record_of_somebody_else_stops_the_program(tmp_path: Path, preview: bool) -> None:
    """Nothing but providers was registered by then, and the message is text and no stack trace."""
    taken = {"name": "www.dev.lab.example", "type": "A", "content": "198.51.100.7", "comment": ""}
    registered: list[Registration] = []
    zones = Zones(records={"lab.example": [taken]}, seen=registered)
    with pytest.raises(pulumi.RunError, match=r"www\.dev\.lab\.example A 198\.51\.100\.7 exists") as caught:
        run(prepare(tmp_path, "dev"), preview=preview, zones=zones)
    assert str(caught.value).startswith("the public zones have one problem; nothing was created\n")
    assert {part.type for part in registered} <= {
        f"pulumi:providers:{package}" for package in ("proxmoxve", "cloudflare", "tailscale")
    }
    assert registered
