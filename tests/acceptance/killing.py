"""Ways to kill the engine of a clone, at a moment that does not depend on how fast the machine is."""

import asyncio
import json
import os
import re
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp
from aiohttp import web

from sandbox.checkout import Checkout
from sandbox.conformance.serving import served_on_loopback
from sandbox.orphans import processes
from tests.acceptance.clone import Clone

CREATED = re.compile(r" created( replacement)? \(")
ARRIVES_SECONDS = 120


def kill_after(clone: Clone, created: int, *, word: str = "") -> None:
    """Run `make up`, and kill its engine without warning once that many resources were created.

    Args:
        clone: whose lab.
        created: how many lines to wait for.
        word: what those lines have, where not the creation of a resource.
    """
    wanted = re.compile(word) if word else CREATED
    count, lines = 0, []
    with _started(clone, "make", "--no-print-directory", "up") as run:
        assert run.stdout is not None
        for line in run.stdout:
            lines.append(line)
            count += bool(wanted.search(line))
            if count >= max(created, 1):
                os.kill(_engine(clone), signal.SIGKILL)
                break
        run.stdout.read()
    assert count >= max(created, 1), f"it ended before it could be killed:\n{''.join(lines[-40:])}"
    assert run.returncode != 0


def kill_while_asking(clone: Clone, api: str, request: tuple[str, str], *, answered: bool) -> None:
    """Run `pulumi up` on a lab whose sandbox is up, and kill the engine while one request of it has no answer.

    A request to a server on the same machine is over before a kill can arrive, so it is held on its way.

    Args:
        clone: whose sandbox runs.
        api: name of the API in `.sandbox/endpoints.json`.
        request: method and path of the request.
        answered: whether the API gets the request and does what it says; only the answer is lost then.
    """
    asked = threading.Event()
    checkout = Checkout(clone.root)
    with _in_front_of(checkout, api, request, asked, answered):
        command = "pulumi cancel --yes --stack dev && pulumi up --yes --skip-preview --stack dev"
        with _started(clone, "bash", "-c", f". .sandbox/env && {command}") as run:
            arrived = asked.wait(ARRIVES_SECONDS)
            if run.poll() is None:
                os.kill(_engine(clone), signal.SIGKILL)
            said = run.communicate()[0]
    assert arrived, f"{request} was never asked:\n{said[-4000:]}"


def _started(clone: Clone, *command: str) -> subprocess.Popen[str]:
    """A program in the clone, with everything that it says in one stream."""
    pipe = subprocess.PIPE
    return subprocess.Popen(
        command, cwd=clone.root, stdin=subprocess.DEVNULL, stdout=pipe, stderr=subprocess.STDOUT, text=True
    )


@contextmanager
def _in_front_of(
    checkout: Checkout, api: str, request: tuple[str, str], asked: threading.Event, answered: bool
) -> Iterator[None]:
    """Pass on what an API is asked for, but for one request; the next `make up` finds the API itself again."""
    address = json.loads(checkout.endpoints_file.read_text())[api]

    async def forward(arrived: web.Request) -> web.Response:
        held = (arrived.method, arrived.path) == request
        headers = {name: value for name, value in arrived.headers.items() if name.lower() != "host"}
        body = await arrived.read()
        if held and not answered:
            asked.set()
            await asyncio.Event().wait()
        async with (
            aiohttp.ClientSession() as session,
            session.request(
                arrived.method, f"{address}{arrived.path_qs}", headers=headers, data=body
            ) as reply,
        ):
            content, kept = await reply.read(), ("content-type", "etag")
        if held:
            asked.set()
            await asyncio.Event().wait()
        passed = {name: value for name, value in reply.headers.items() if name.lower() in kept}
        return web.Response(status=reply.status, body=content, headers=passed)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", forward)
    with served_on_loopback(app) as front:
        for file in (checkout.endpoints_file, checkout.env_file):
            file.write_text(file.read_text().replace(address, front))
        yield


def _engine(clone: Clone) -> int:
    """The process of the clone's engine."""
    found = [
        p.pid for p in processes() if p.program == "pulumi" and "up" in p.arguments and _in(clone, p.pid)
    ]
    assert len(found) == 1, found
    return found[0]


def _in(clone: Clone, pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/cwd").resolve() == clone.root.resolve()
    except OSError:
        return False
