"""The Tailscale API over HTTP, with the key as the user of basic authentication, as the official client sends
it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.plugins.resource import CallError, Endpoints
from sandbox.plugins.values import Values, text

if TYPE_CHECKING:
    from requests import Response, Session

TIMEOUT = 60  # seconds
HUJSON = "application/hujson"


class Refused(CallError):
    """The API answered with an error; the text is its message and code."""

    def __init__(self, status: int, message: str) -> None:
        """Keep the status for callers that treat some as no error."""
        super().__init__(f"{message} ({status})")
        self.status = status


class Api:
    """Requests below `/api/v2/tailnet/<tailnet>/`."""

    def __init__(self, session: Session, base: str) -> None:
        """Use a session that has the key."""
        self._session = session
        self._base = base

    def policy(self) -> str:
        """The policy file, comments included."""
        return self._send("GET", "acl", headers={"Accept": HUJSON}).text

    def set_policy(self, policy: str, *, only_default: bool) -> None:
        """Replace the policy file; an empty one resets it. `only_default` refuses to overwrite another."""
        headers = {"Content-Type": HUJSON} | ({"If-Match": '"ts-default"'} if only_default else {})
        self._send("POST", "acl", headers=headers, data=policy.encode())

    def split_dns(self) -> dict[str, list[str]]:
        """The name servers of every domain that has its own."""
        return _object(self._send("GET", "dns/split-dns"))

    def set_split_dns(self, domain: str, servers: list[str]) -> None:
        """Give one domain its name servers, none to leave it to the tailnet's usual ones."""
        self._send("PATCH", "dns/split-dns", json={domain: servers})

    def create_key(self, body: dict[str, Any]) -> dict[str, Any]:
        """Make an auth key; the answer alone holds the key itself."""
        return _object(self._send("POST", "keys", json=body))

    def key(self, id: str) -> dict[str, Any] | None:
        """The key's properties without the key, or None."""
        try:
            return _object(self._send("GET", f"keys/{id}"))
        except Refused as error:
            if error.status == 404:
                return None
            raise

    def delete_key(self, id: str) -> None:
        """Revoke the key; one that is gone is no error."""
        try:
            self._send("DELETE", f"keys/{id}")
        except Refused as error:
            if error.status != 404:
                raise

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _send(self, method: str, path: str, **request: Any) -> Response:
        from requests import RequestException

        try:
            response = self._session.request(method, f"{self._base}/{path}", timeout=TIMEOUT, **request)
        except RequestException as error:
            what = type(error).__name__
            raise CallError(f"{method} {self._base}/{path}: {what}: is the sandbox running?") from None
        if response.ok:
            return response
        raise Refused(response.status_code, _message(response))


def _object(response: Response) -> dict[str, Any]:
    found: dict[str, Any] = response.json()
    return found


def _message(response: Response) -> str:
    try:
        return str(response.json()["message"])
    except (ValueError, KeyError, TypeError):
        return response.text.strip() or str(response.reason)


def connect(configuration: Values, _endpoints: Endpoints) -> Api:
    """The client of the provider's API; makes no request and looks at no environment variable."""
    from requests import Session

    session = Session()
    session.trust_env = False
    session.auth = (text(configuration, "apiKey"), "")
    tailnet = text(configuration, "tailnet") or "-"
    return Api(session, f"{text(configuration, 'baseUrl').rstrip('/')}/api/v2/tailnet/{tailnet}")
