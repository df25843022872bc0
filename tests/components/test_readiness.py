"""Whether an engine answers: asked of a real socket, with the error that a person sees."""

import asyncio
from pathlib import Path

import pytest
from aiohttp import web

from components import readiness
from sandbox.conformance.serving import served_on_loopback, served_on_socket


def _engine(failures: int = 0) -> web.Application:
    left = [failures]

    async def ping(_: web.Request) -> web.Response:
        if left[0]:
            left[0] -= 1
            return web.Response(status=503, reason="Starting")
        return web.Response(text="OK")

    app = web.Application()
    app.router.add_get("/_ping", ping)
    return app


def test_an_engine_on_a_socket_answers(tmp_path: Path) -> None:
    """A unix socket is asked directly."""
    with served_on_socket(_engine(), tmp_path / "docker.sock") as connection:
        asyncio.run(readiness.poll_engine("docker-1", connection, deadline=5))


def test_an_engine_on_a_port_answers() -> None:
    """A TCP engine is asked directly."""
    with served_on_loopback(_engine()) as url:
        asyncio.run(readiness.poll_engine("docker-1", url.replace("http", "tcp"), deadline=5))


def test_an_engine_that_comes_later_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refusal or an error is no answer; the next attempt is."""
    monkeypatch.setattr(readiness, "_PAUSE_SECONDS", 0.01)
    with served_on_socket(_engine(failures=2), tmp_path / "docker.sock") as connection:
        asyncio.run(readiness.poll_engine("docker-1", connection, deadline=5))


def test_a_silent_engine_fails_with_what_to_do(tmp_path: Path) -> None:
    """After the deadline the error names the host, the connection, what was seen, and the repair."""
    with pytest.raises(readiness.EngineSilent) as caught:
        asyncio.run(readiness.poll_engine("docker-1", f"unix://{tmp_path}/none.sock", deadline=0))
    text = str(caught.value)
    assert text.startswith(f"the Docker Engine of docker-1 did not answer at unix://{tmp_path}/none.sock")
    assert "No such file or directory" in text
    assert "set connections.docker-1 in the lab file" in text


def test_an_error_of_the_engine_is_shown(tmp_path: Path) -> None:
    """An engine that answers with an error is not ready, and its status line is in the message."""
    with (
        served_on_socket(_engine(failures=99), tmp_path / "docker.sock") as connection,
        pytest.raises(readiness.EngineSilent, match="503 Starting"),
    ):
        asyncio.run(readiness.poll_engine("docker-1", connection, deadline=0))


def test_ssh_is_asked_through_the_client_s_own_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An SSH engine is asked by `docker system dial-stdio` on the other side, without a prompt."""
    ssh = tmp_path / "ssh"
    ssh.write_text('#!/bin/sh\necho "$@" > "$0.args"\nprintf "HTTP/1.0 200 OK\\r\\n\\r\\nOK"\n')
    ssh.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    asyncio.run(readiness.poll_engine("docker-1", "ssh://root@10.10.20.11:2222", deadline=0))
    expected = "-o BatchMode=yes -o ConnectTimeout=5 -p 2222 -- root@10.10.20.11 docker system dial-stdio\n"
    assert (tmp_path / "ssh.args").read_text() == expected


def test_what_ssh_complains_about_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refused login is in the message, and not only that nothing was answered."""
    ssh = tmp_path / "ssh"
    ssh.write_text("#!/bin/sh\necho 'Permission denied (publickey).' >&2\nexit 255\n")
    ssh.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    with pytest.raises(readiness.EngineSilent, match=r"Permission denied \(publickey\)"):
        asyncio.run(readiness.poll_engine("docker-1", "ssh://10.10.20.11", deadline=0))
