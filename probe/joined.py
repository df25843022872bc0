"""Probes of a Docker host on another machine: from containers that join a service's network namespace.

Only where a person consents, because it starts containers on that host: one beside each
service, of the image that the lab uses for its loaders, without a capability, removed
at the end. They have busybox and nothing else, so UDP is not asked from there (the
image's `nc` has no UDP).
"""

import contextlib
import shlex
from collections.abc import Iterator, Sequence
from typing import Any

from docker import APIClient
from docker.errors import DockerException

from probe.inside import Aim, Seen
from probe.inside_names import CODES
from probe.spaces import ENGINES_SERVER, CannotEnter

HELPER_LABEL = "homelab.probe"
_AT_ONCE = 40
"""Connections that one helper opens side by side."""
_REQUEST = r"GET / HTTP/1.0\r\nHost: probe\r\n\r\n"


class JoinedSpace:
    """The network namespace of a container on any host.

    Args:
        client: the engine.
        container: the id of the container whose network is joined.
        image: the helper's image; it has to be on the host.
    """

    udp = False

    def __init__(self, client: APIClient, container: str, image: str) -> None:
        self._client = client
        self._container = container
        self._image = image

    def ask(self, aims: Sequence[Aim], deadline: float) -> list[Seen]:
        """Connect to every aim over TCP; one over UDP is not answered."""
        seen: list[Seen] = [(False, "", deadline * 1000)] * len(aims)
        asked = [(index, aim) for index, aim in enumerate(aims) if aim[2] == "tcp"]
        for start in range(0, len(asked), _AT_ONCE):
            # Standard output only: nc tells refused connections on the other.
            text = self._said(_script(asked[start : start + _AT_ONCE], deadline), deadline)
            for index, answer in _answers(text):
                seen[index] = True, answer, 0.0
        return seen

    def name(self, name: str, deadline: float) -> str:
        """Ask the engine's name server for a name, by busybox' `nslookup`."""
        seconds = max(1, round(deadline))
        return _code(self._said(f"timeout {seconds} nslookup -type=a {name} {ENGINES_SERVER} 2>&1", deadline))

    def _said(self, script: str, deadline: float) -> str:
        with self._running(["sh", "-c", script]) as helper:
            self._client.wait(helper, timeout=round(deadline) + 60)
            return str(self._client.logs(helper, stdout=True, stderr=False).decode("utf-8", "replace"))

    @contextlib.contextmanager
    def canary(self, port: int, name: str) -> Iterator[None]:
        """Answer with a name over TCP."""
        answer = f"echo {shlex.quote(name)}"
        command = ["sh", "-c", f"while true; do nc -l -p {port} -e sh -c {shlex.quote(answer)}; done"]
        with self._running(command):
            yield

    @contextlib.contextmanager
    def _running(self, command: list[str]) -> Iterator[str]:
        try:
            made: dict[str, Any] = self._client.create_container(
                self._image,
                command=command,
                labels={HELPER_LABEL: "yes"},
                host_config=self._client.create_host_config(
                    network_mode=f"container:{self._container}",
                    cap_drop=["ALL"],
                    read_only=True,
                    security_opt=["no-new-privileges:true"],
                ),
            )
        except DockerException as error:
            raise CannotEnter(f"no helper could be made beside {self._container[:12]}: {error}") from None
        try:
            self._client.start(made["Id"])
            yield str(made["Id"])
        except DockerException as error:
            raise CannotEnter(f"the helper beside {self._container[:12]} failed: {error}") from None
        finally:
            with contextlib.suppress(DockerException):
                self._client.remove_container(made["Id"], force=True)


_BEGIN, _END = "\x02", "\x03"


def _script(aims: Sequence[tuple[int, Aim]], deadline: float) -> str:
    """Every connection in the background; each answer on a line of its own between two marks."""
    seconds = max(1, round(deadline))
    lines = []
    for index, (address, port, _) in aims:
        connect = f"printf '{_REQUEST}' | timeout {seconds} nc -w {seconds} {address} {port} 2>/dev/null"
        lines.append(
            f"(a=$({connect} | head -c 300 | tr '\\n\\r' '  '); "
            f'[ -n "$a" ] && printf \'{_BEGIN}{index} %s{_END}\\n\' "$a") &'
        )
    return "\n".join([*lines, "wait"])


def _code(text: str) -> str:
    """The code of an answer as `nslookup` tells it: by its name, or by showing the answer."""
    found = next((code for code in CODES if code in text), "")
    return found or ("NOERROR" if "Non-authoritative answer" in text or "\nName:" in text else "")


def _answers(text: str) -> Iterator[tuple[int, str]]:
    for part in text.split(_BEGIN)[1:]:
        index, _, answer = part.partition(_END)[0].partition(" ")
        yield int(index), answer
