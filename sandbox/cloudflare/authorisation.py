"""Who may call: one API token, given as `Authorization: Bearer <token>`.

Refuses as Cloudflare does: no header and a malformed one with 400, a wrong token with 401 at the token
check and 403 elsewhere. The token is never repeated in an answer.
"""

import hmac

from sandbox.cloudflare.errors import ApiError


def authorise(header: str | None, token: str, *, verifying: bool) -> None:
    """Accept the one token or refuse.

    Args:
        header: the `Authorization` header, if any.
        token: the token that is right.
        verifying: whether this is `/user/tokens/verify`, which words its refusal differently.

    Raises:
        ApiError: 400, 401 or 403 with Cloudflare's code.
    """
    if header is None:
        raise ApiError(400, [(9106, "Missing X-Auth-Key, X-Auth-Email or Authorization headers")])
    scheme, _, given = header.partition(" ")
    if scheme.lower() != "bearer" or not given.strip():
        raise ApiError(
            400, [(6003, "Invalid request headers"), (6111, "Invalid format for Authorization header")]
        )
    if hmac.compare_digest(given.strip().encode(errors="surrogateescape"), token.encode()):
        return
    if verifying:
        raise ApiError(401, [(1000, "Invalid API Token")])
    raise ApiError(403, [(9109, "Invalid access token"), (10000, "Authentication error")])
