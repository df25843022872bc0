"""The Proxmox VE API as the types here use it: requests, tasks, and errors in the official plugin's words.

Requests go through `proxmoxer`, imported at the first call. The server's certificate is checked against the
CA bundle that `SSL_CERT_FILE` or `REQUESTS_CA_BUNDLE` names. Texts of errors never hold the token.
"""

from __future__ import annotations

import os
import threading
import time
from typing import Any
from urllib.parse import quote, urlsplit

from sandbox.plugins.resource import CallError, Endpoints
from sandbox.plugins.values import Values, flag, text

REQUEST_SECONDS = 60
TASK_SECONDS = 1800
FIRST_POLL, LAST_POLL = 0.05, 1.0
# What the official plugin takes for "it does not exist" (facts: transport).
_GONE = ("does not exist", "no such", "no rule at position")


class ApiFailure(Exception):
    """The API refused a request; the text is the official plugin's sentence about it."""

    def __init__(self, status: int, reason: str) -> None:
        """Keep the status and the server's own words."""
        super().__init__(f"received an HTTP {status} response - Reason: {reason}")
        self.status = status
        self.reason = reason

    @property
    def gone(self) -> bool:
        """Whether the object of the request does not exist."""
        return self.status == 404 or any(words in self.reason for words in _GONE)

    @property
    def exists(self) -> bool:
        """Whether the object to be made exists already."""
        return "already exists" in self.reason


def path(*segments: str | int) -> str:
    """A path of the API; each segment is escaped, so that a volume id stays one segment."""
    return "/".join(quote(str(segment), safe=":@") for segment in segments)


class Client:
    """Requests of one provider; safe to use from several threads."""

    def __init__(self, endpoint: str, token: str, verify: str | bool) -> None:
        """Talk to `https://host:port` with an API token `user@realm!name=secret`."""
        self._endpoint = urlsplit(endpoint)
        self._user, _, self._secret = token.partition("=")
        self._verify = verify
        self._local = threading.local()

    def _session(self) -> Any:
        if not hasattr(self._local, "api"):
            from proxmoxer import ProxmoxAPI

            user, _, token_name = self._user.partition("!")
            self._local.api = ProxmoxAPI(
                self._endpoint.hostname,
                port=self._endpoint.port or 8006,
                user=user,
                token_name=token_name,
                token_value=self._secret,
                verify_ssl=self._verify,
                timeout=REQUEST_SECONDS,
            )
        return self._local.api

    def _call(self, method: str, where: str, parameters: dict[str, Any]) -> Any:
        from proxmoxer.core import ResourceException
        from requests.exceptions import RequestException

        given = {key: int(value) if isinstance(value, bool) else value for key, value in parameters.items()}
        try:
            return getattr(self._session()(where), method)(**given)
        except ResourceException as error:
            fields = error.errors if isinstance(error.errors, dict) else {}
            details = ", ".join(f"{name}: {reason}" for name, reason in fields.items())
            reason = str(error.content or error.status_message) + (f" ({details})" if details else "")
            raise ApiFailure(int(error.status_code), reason) from None
        except RequestException as error:
            kind = type(error).__name__
            raise CallError(
                f"failed to reach the Proxmox VE API at {self._endpoint.geturl()} ({kind}). Is the sandbox"
                " running? `python -m sandbox status` tells."
            ) from None

    def get(self, where: str, **parameters: Any) -> Any:
        """The data of a GET."""
        return self._call("get", where, parameters)

    def post(self, where: str, parameters: dict[str, Any]) -> Any:
        """The data of a POST."""
        return self._call("post", where, parameters)

    def put(self, where: str, parameters: dict[str, Any]) -> Any:
        """The data of a PUT."""
        return self._call("put", where, parameters)

    def delete(self, where: str, **parameters: Any) -> Any:
        """The data of a DELETE."""
        return self._call("delete", where, parameters)

    def wait(self, upid: str | None, seconds: float = TASK_SECONDS) -> None:
        """Wait for a task; no task is one that is done.

        Raises:
            CallError: with the task's exit status when it fails, or it does not end in time.
        """
        if upid is None:
            return
        node, pause = upid.split(":")[1], FIRST_POLL
        until = time.monotonic() + seconds
        while True:
            status = self.get(path("nodes", node, "tasks", upid, "status"))
            if status["status"] != "running":
                break
            if time.monotonic() > until:
                raise CallError(f'timeout while waiting for task "{upid}" to complete')
            time.sleep(pause)
            pause = min(pause * 1.5, LAST_POLL)
        result = str(status.get("exitstatus", "unknown"))
        if result != "OK" and not result.startswith("WARNINGS"):
            raise CallError(f'task "{upid}" failed to complete with exit code: {result}')

    def close(self) -> None:
        """Close the connections of the calling thread."""
        api = self._local.__dict__.pop("api", None)
        if api is not None:
            api._store["session"].close()


def connect(configuration: Values, _endpoints: Endpoints) -> Client:
    """The client of a provider; makes no request."""
    bundle = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("SSL_CERT_FILE")
    verify: str | bool = False if flag(configuration, "insecure") else bundle or True
    return Client(text(configuration, "endpoint"), text(configuration, "apiToken"), verify)


def failed(verb: str, reason: object) -> CallError:
    """An SDKv2 error: the official plugin writes a list of one."""
    return CallError(f"{verb}: 1 error occurred:\n\t* {reason}\n\n")
