"""Who may call: one API key, as the user name of Basic authorisation or as a Bearer token.

The key is compared in constant time and never repeated in an answer.
"""

import base64
import hmac

from sandbox.tailscale.errors import ApiError


def _given(header: str) -> str:
    scheme, _, rest = header.partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(rest.strip(), validate=True).decode().partition(":")[0]
        except ValueError:
            return ""
    return ""


def authorise(header: str | None, key: str) -> None:
    """Accept the one key or refuse (401).

    Args:
        header: the `Authorization` header, if any.
        key: the key that is right.
    """
    if header is None or not hmac.compare_digest(
        _given(header).encode(errors="surrogateescape"), key.encode()
    ):
        raise ApiError(401, "API token invalid")
