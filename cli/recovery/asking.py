"""Questions to an API that answers JSON: GET and nothing else, with a deadline, and no secret in any error."""

import json
import ssl
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from typing import Any

from cli.recovery.findings import Unanswered

_SECONDS = 30.0


class JsonApi:
    """An API below one address.

    Args:
        name: what a person calls it.
        address: such as `https://10.10.10.11:8006/api2/json`.
        authorization: the value of that header; never shown.
    """

    def __init__(self, *, name: str, address: str, authorization: str) -> None:
        self.name, self.address = name, address.rstrip("/")
        self._headers = {"Authorization": authorization, "Accept": "application/json"}

    def get(self, path: str, query: Mapping[str, str] | None = None) -> Any:
        """The document at a path.

        Raises:
            Unanswered: no connection, a refusal, or something that is no JSON.
        """
        url = f"{self.address}/{path}" + (f"?{urllib.parse.urlencode(query)}" if query else "")
        request = urllib.request.Request(url, headers=self._headers)
        try:
            with urllib.request.urlopen(request, timeout=_SECONDS) as response:
                return json.loads(response.read())
        except urllib.error.HTTPError as error:
            with error:
                raise self._unanswered(path, f"HTTP {error.code} {error.reason}") from None
        except (OSError, ssl.SSLError, ValueError) as error:
            reason = getattr(error, "reason", error)
            raise self._unanswered(path, str(reason)) from None

    def _unanswered(self, path: str, why: str) -> Unanswered:
        return Unanswered(
            f"the {self.name} API at {self.address} does not answer GET {path}: {why}. "
            f"Make it reachable, or correct LAB_CONNECTION_{self.name.upper()} or its token, and run it again"
        )
