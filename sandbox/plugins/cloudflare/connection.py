"""The Cloudflare API through the official `cloudflare` package, with errors in the official plugin's words.

Importing the package and making the first call took 0.38 s and 55 MB here (two cores, `requests` alone: 0.08 s
and 27 MB). It is imported in the background, after the plugin's start, and leaves a preview of a lab under its
4 s; so the field's own client is used instead of plain HTTP.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.plugins.resource import CallError, Endpoints
from sandbox.plugins.values import Values, text

if TYPE_CHECKING:
    from cloudflare import Cloudflare

TIMEOUT = 60.0  # seconds


class Missing(CallError):
    """The API answered 404."""


class Api:
    """JSON requests to the API; the envelope's `result` is what a call gives."""

    def __init__(self, client: Cloudflare) -> None:
        """Use the given client, which knows address and token."""
        self._client = client

    def get(self, path: str, query: dict[str, str] | None = None) -> Any:
        """GET below the base address."""
        return self._request("GET", path, query=query)

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """POST a JSON body."""
        return self._request("POST", path, body=body)

    def put(self, path: str, body: dict[str, Any]) -> Any:
        """PUT a JSON body."""
        return self._request("PUT", path, body=body)

    def delete(self, path: str) -> None:
        """DELETE."""
        self._request("DELETE", path)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _request(
        self,
        method: str,
        path: str,
        *,
        query: dict[str, str] | None = None,
        body: dict[str, Any] | None = None,
    ) -> Any:
        import httpx
        from cloudflare import APIConnectionError, APIStatusError, NotFoundError

        options: Any = {"params": query} if query else {}
        try:
            match method:
                case "GET":
                    response = self._client.get(path, cast_to=httpx.Response, options=options)
                case "POST":
                    response = self._client.post(path, cast_to=httpx.Response, body=body)
                case "PUT":
                    response = self._client.put(path, cast_to=httpx.Response, body=body)
                case _:
                    response = self._client.delete(path, cast_to=httpx.Response)
        except APIStatusError as error:
            sentence = f"failed to make http request: {_said(error.response)}"
            raise (Missing if isinstance(error, NotFoundError) else CallError)(sentence) from None
        except APIConnectionError as error:
            cause = type(error.__cause__ or error).__name__
            url = f"{self._client.base_url}{path.lstrip('/')}"
            raise CallError(
                f'failed to make http request: {method} "{url}": {cause}: is the sandbox running?'
            ) from None
        return response.json().get("result")


def _said(response: Any) -> str:
    """Method, address, status and body of a refused request; none of them holds the token."""
    status = f"{response.status_code} {response.reason_phrase}"
    return f'{response.request.method} "{response.request.url}": {status} {response.text}'


def connect(configuration: Values, _endpoints: Endpoints) -> Api:
    """The client of the provider's API; makes no request. Credentials of the environment are not used."""
    from cloudflare import Cloudflare

    client = Cloudflare(
        api_token=text(configuration, "apiToken"),
        base_url=text(configuration, "baseUrl").rstrip("/"),
        timeout=TIMEOUT,
    )
    client.api_key = client.api_email = client.user_service_key = None
    return Api(client)
