"""How `lab verify` asks: the sandbox for its state, a file for whom to trust, engines for what runs."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cli import verify
from cli.sandbox_status import SandboxStatus
from cli.verify import certificate_roots, verify_lab
from lab.plan.records import DockerHostPlan
from probe.containers import EngineUnreachable, Running
from probe.engines import Fact
from tests.support.builders import ingress, route, service, stack
from tests.support.builders import plan as decide
from tests.support.pairs import pair, shown_names
from tests.support.proofs import small_lab


def test_only_a_file_says_whom_to_trust(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable is set before there is an authority, and elsewhere it is not set at all."""
    asks = decide(ingress=ingress(), certificate={"names": ["*.lab.example"]}, dns={"provider": "cloudflare"})
    monkeypatch.delenv(verify.ROOTS_VARIABLE, raising=False)
    assert certificate_roots(asks) is None
    monkeypatch.setenv(verify.ROOTS_VARIABLE, str(tmp_path / "roots.pem"))
    assert certificate_roots(asks) is None
    (tmp_path / "roots.pem").write_text("")
    assert certificate_roots(asks) == tmp_path / "roots.pem"
    assert certificate_roots(decide(ingress=ingress())) is None
    upstream = ingress(
        tls="upstream", trusted_upstreams=["10.10.20.5"], audiences={"internet": {"port": 443}}
    )
    assert certificate_roots(replace(asks, ingress=decide(ingress=upstream).ingress)) is None


def test_one_minute_is_the_most_that_is_waited_for_all_routes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each way in is asked at its forward; the first that is not trusted in time ends the wait."""
    stacks = {
        "web": stack(app=service(listens=[80], route=route("www")), b=service(listens=[80], route=route("b")))
    }
    decided = decide(
        ingress=ingress(),
        certificate={"names": ["*.lab.example"]},
        dns={"provider": "cloudflare"},
        stacks=stacks,
        tailnet={},
    )
    assert decided.ingress is not None
    asked: list[tuple[str, int, str, bool]] = []
    answers = [True, True, False]

    def wait(address: str, port: int, host: str, roots: Path, *, seconds: float, **_: Any) -> bool:
        asked.append((address, port, host, 59 < seconds <= 60))
        return answers.pop(0)

    monkeypatch.setattr(verify, "wait_until_trusted", wait)
    sandbox = SandboxStatus.of({"forwards": [{"port": 8443, "listen": "127.0.0.1:20001"}]})
    for _ in range(2):
        verify._wait_for_certificate(decided.ingress, sandbox, Path("roots"))
    first, other = (("127.0.0.1", 20001, f"{host}.lab.example", True) for host in ("b", "www"))
    assert asked in ([first, other, first], [other, first, other])


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> list[Running]:
    """An engine on which just these containers run, none of them for real, and no sandbox."""
    running: list[Running] = []
    monkeypatch.setattr(verify, "running_containers", lambda *_, **__: tuple(running))
    monkeypatch.setattr(verify, "facts_against", lambda *_: iter(()))
    monkeypatch.setattr(verify, "settled_status", lambda *_: SandboxStatus.of({}))
    return running


def _simulated(endpoint: str) -> Running:
    return Running(endpoint=endpoint, host="docker-1", id="x", pid=0, image="", stand_in=False)


def test_a_service_that_does_not_run_is_a_difference(
    nobody: list[Running], capsys: pytest.CaptureFixture[str]
) -> None:
    """What is not there cannot be as expected; exit code 1."""
    plan = small_lab().plan
    nobody += [_simulated("service:wiki/app"), _simulated("ingress")]

    assert verify_lab(plan, as_json=True, every=False) == 1
    missing = json.loads(capsys.readouterr().out)["missing"]
    assert {"service:wiki/db", "service:blog/app"} <= set(missing)
    assert not {"service:wiki/app", "ingress"} & set(missing)


def test_everything_there_and_nothing_real_is_fine(
    nobody: list[Running], capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 0, and the text says that nothing was probed."""
    plan = small_lab().plan
    nobody += [
        _simulated(name) for name in ("service:wiki/app", "service:wiki/db", "service:blog/app", "ingress")
    ]
    nobody += [_simulated(str(guard.service.endpoint)) for guard in plan.guards]

    assert verify_lab(plan, as_json=False, every=False) == 0
    assert "Nothing was probed" in capsys.readouterr().out


def test_a_pair_of_secrets_is_named_as_what_is_trusted(
    nobody: list[Running], capsys: pytest.CaptureFixture[str]
) -> None:
    """Scripts learn that nobody asked whether a visitor trusts who signed it."""
    verify_lab(small_lab(certificate=shown_names(["*.lab.example"])).plan, as_json=True, every=False)
    assert json.loads(capsys.readouterr().out)["pinned"] == "own-certificate"


@pytest.mark.parametrize("key_too", [False, True])
def test_only_the_certificate_itself_is_written_to_be_trusted(
    monkeypatch: pytest.MonkeyPatch, key_too: bool
) -> None:
    """Neither the authorities, whom others may have been signed by, nor a key that stands in the same secret."""
    given = pair("*.lab.example")
    text = (given.key if key_too else "") + given.certificate
    monkeypatch.setenv("LAB_SECRET_OWN_CERTIFICATE", text)
    monkeypatch.setenv("PATH", "")
    with verify._trusted(small_lab(certificate=shown_names(["*.lab.example"])).plan) as roots:
        assert roots is not None
        assert roots.read_text() == given.certificate.removesuffix(given.root)


@pytest.mark.parametrize("text", ["", "not in PEM form"])
def test_nothing_is_judged_by_a_secret_that_is_not_there(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    """That is said, and is no certificate that was found right."""
    monkeypatch.setenv("LAB_SECRET_OWN_CERTIFICATE", text)
    monkeypatch.setenv("PATH", "")
    with verify._trusted(small_lab(certificate=shown_names(["*.lab.example"])).plan) as roots:
        assert roots is None
    assert "no certificate is to be had here in the secret own-certificate" in capsys.readouterr().err


def test_an_engine_that_cannot_be_asked_is_bad_input(
    nobody: list[Running], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, the reason on standard error, and nothing claimed."""

    def silent(host: DockerHostPlan, connection: str) -> Iterator[Fact]:
        raise EngineUnreachable(f"{host.name} does not answer at {connection}")

    monkeypatch.setattr(verify, "facts_against", silent)

    assert verify_lab(small_lab().plan, as_json=True, every=False) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert "docker-1 does not answer" in told.err


def _real(endpoint: str) -> Running:
    return replace(_simulated(endpoint), pid=1)


@pytest.mark.parametrize(
    ("running", "here", "asked"),
    [
        ([_real("ingress"), _real("service:wiki/app")], True, True),
        ([_real("service:wiki/app")], True, False),
        ([_real("service:wiki/app")], False, True),
        ([_simulated("ingress")], True, False),
        ([], False, False),
    ],
)
def test_routes_are_asked_for_where_somebody_could_answer(
    running: list[Running], here: bool, asked: bool
) -> None:
    """An address of a lab that is in the sandbox may be somebody else's on the networks of this machine."""
    sandbox = replace(SandboxStatus.of({}), here=here)
    assert verify._may_ask_for_routes(running, sandbox) is asked
