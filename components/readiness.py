"""Whether a Docker Engine answers, asked over the same way that the provider takes.

A guest is "running" long before its engine is: its first boot installs and starts it.
Nobody waits for that in Proxmox' API, so the first resource of a host asks first.
`unix://` and `tcp://` are asked directly; `ssh://` through `docker system dial-stdio` on
the other side, which is how the Docker client itself speaks over SSH. A `tcp://` engine
with TLS is refused by the provider's own checks, not here.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from urllib.parse import SplitResult, urlsplit

import pulumi

DEADLINE_SECONDS = 120.0
_ATTEMPT_SECONDS = 10.0
_PAUSE_SECONDS = 0.5
_REQUEST = b"GET /_ping HTTP/1.0\r\nHost: docker\r\n\r\n"


class EngineSilent(Exception):
    """An engine did not answer in time."""


def wait_for_engine(
    name: str, connection: str, deadline: float = DEADLINE_SECONDS
) -> Callable[[pulumi.ResourceHookArgs], Awaitable[None]]:
    """A resource hook that returns once the engine answers, and fails after the deadline.

    Args:
        name: the Docker host's name, for the error.
        connection: `unix://`, `tcp://` or `ssh://`.
        deadline: in seconds.
    """

    async def hook(_: pulumi.ResourceHookArgs) -> None:
        await poll_engine(name, connection, deadline)

    return hook


async def poll_engine(name: str, connection: str, deadline: float = DEADLINE_SECONDS) -> None:
    """Ask an engine for `_ping` until it answers.

    Raises:
        EngineSilent: it did not answer before the deadline; says what was seen last.
    """
    end = time.monotonic() + deadline
    while True:
        try:
            await asyncio.wait_for(_ping(connection), _ATTEMPT_SECONDS)
            return
        except (OSError, TimeoutError, EngineSilent) as error:
            seen = str(error) or f"no answer within {_ATTEMPT_SECONDS:.0f} s"
        if time.monotonic() >= end:
            raise EngineSilent(
                f"the Docker Engine of {name} did not answer at {connection} "
                f"within {deadline:.0f} s: {seen}. "
                "Look at the guest's console whether it has booted and its engine runs; if the engine is "
                f"elsewhere, set connections.{name} in the lab file. Then run `pulumi up` again."
            )
        await asyncio.sleep(_PAUSE_SECONDS)


async def _ping(connection: str) -> None:
    url = urlsplit(connection)
    if url.scheme == "ssh":
        answer, complaint = await _ask_over_ssh(url)
    else:
        answer, complaint = await _ask(url), ""
    status = answer.split(b"\r\n", 1)[0].decode("ascii", "replace")
    if " 200 " not in f"{status} ":
        raise EngineSilent(complaint or status or "it closed the connection")


async def _ask(url: SplitResult) -> bytes:
    if url.scheme == "unix":
        reader, writer = await asyncio.open_unix_connection(url.path)
    else:
        reader, writer = await asyncio.open_connection(url.hostname, url.port or 2375)
    try:
        writer.write(_REQUEST)
        await writer.drain()
        return await reader.read(4096)
    finally:
        writer.close()
        await writer.wait_closed()


async def _ask_over_ssh(url: SplitResult) -> tuple[bytes, str]:
    port = ["-p", str(url.port)] if url.port else []
    user = f"{url.username}@" if url.username else ""
    process = await asyncio.create_subprocess_exec(
        *("ssh", "-o", "BatchMode=yes", "-o", "ConnectTimeout=5", *port),
        *("--", f"{user}{url.hostname}", "docker", "system", "dial-stdio"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        answer, complaint = await process.communicate(_REQUEST)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return answer, complaint.decode("utf-8", "replace").strip()
