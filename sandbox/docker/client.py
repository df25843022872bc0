"""Short requests to a Docker API on a unix socket: what the front socket itself has to ask an engine.

One connection per request; it is no general client.
"""

import http.client
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO
from urllib.parse import quote, urlencode


class SlowError(OSError):
    """A work of the engine was given up because it took too long."""


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path, seconds: float) -> None:
        super().__init__("docker", timeout=seconds)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


class EngineClient:
    """Asks one engine; all methods block and raise OSError when the engine does not answer.

    Args:
        path: the engine's own socket.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def image(self, name: str) -> dict[str, object] | None:
        """The inspect document of an image by id or reference; None when the engine has no such image."""
        status, document = self.request("GET", f"/images/{quote(name, safe='/:@')}/json")
        return document if status == 200 and isinstance(document, dict) else None

    def image_with_label(self, label: str, value: str) -> str | None:
        """The id of the image that has a label of this value; None when there is none."""
        query = urlencode({"filters": json.dumps({"label": [f"{label}={value}"]}), "all": "1"})
        _, document = self.request("GET", f"/images/json?{query}")
        images = document if isinstance(document, list) else []
        return str(images[0]["Id"]) if images else None

    def load(self, archive: Path, seconds: float = 120.0) -> str:
        """Load an image archive; returns what the engine says about it, its errors included."""
        with archive.open("rb") as stream:
            _, document = self.request(
                "POST", "/images/load?quiet=1", stream, archive.stat().st_size, seconds
            )
        return str(document)

    def request(
        self, method: str, path: str, body: IO[bytes] | None = None, length: int = 0, seconds: float = 30.0
    ) -> tuple[int, object]:
        """Send one request; returns the status and the JSON document, or the text where it is no JSON."""
        connection = _UnixConnection(self._path, seconds)
        headers = {"Content-Length": str(length), "Content-Type": "application/x-tar"} if body else {}
        try:
            connection.request(method, path, body=body, headers=headers)
            response = connection.getresponse()
            text = response.read().decode(errors="replace")
        except http.client.HTTPException as error:
            raise OSError(f"the engine's answer was cut off: {error}") from None
        finally:
            connection.close()
        return response.status, _document(text)

    def progress(self, path: str, silence: float, total: float) -> Iterator[dict[str, object]]:
        """POST a request that takes long; gives the lines of progress as they come.

        Args:
            path: of the request.
            silence: seconds without a line after which it is given up.
            total: seconds after which it is given up whatever comes.

        Raises:
            SlowError: when it was given up; the engine ends the work when its client goes.
            OSError: when the engine refuses or ends it, with the engine's words.
        """
        connection = _UnixConnection(self._path, silence)
        deadline = time.monotonic() + total
        try:
            connection.request("POST", path)
            response = connection.getresponse()
            if response.status != 200:
                raise OSError(_message(_document(response.read().decode(errors="replace"))))
            while text := response.readline():
                line = _document(text.decode(errors="replace"))
                if isinstance(line, dict):
                    if "error" in line:
                        raise OSError(str(line["error"]))
                    yield line
                if time.monotonic() > deadline:
                    raise SlowError(f"not done after {total:.0f} s")
        except TimeoutError:
            raise SlowError(f"no progress for {silence:.0f} s") from None
        except http.client.HTTPException as error:
            raise OSError(f"the engine's answer was cut off: {error}") from None
        finally:
            connection.close()


def _document(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _message(document: object) -> str:
    return str(document.get("message", document)) if isinstance(document, dict) else str(document)
