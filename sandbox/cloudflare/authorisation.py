"""Who calls: the token of a request, given as `Authorization: Bearer <token>`.

The sandbox's own tokens are known from its start, minted ones are in the store, by their digests only. Refuses as
Cloudflare does: no header and a malformed one with 400, a wrong token with 401 at the token check and 403
elsewhere. The token is never repeated in an answer.
"""

import hmac
from collections.abc import Mapping
from datetime import UTC, datetime

from sandbox.cloudflare.errors import ApiError
from sandbox.cloudflare.rights import OF_THE_LAB, OF_THE_MAKER, Bearer
from sandbox.cloudflare.tokens import bearer_of
from sandbox.store import Store

_OWN_ID = "0" * 31 + "1"


class Doors:
    """The tokens that open anything.

    Args:
        store: where minted ones are.
        token: the lab's own.
        maker: the credential that makes tokens, where there is one; may be the same.
    """

    def __init__(self, store: Store, *, token: str, maker: str | None) -> None:
        """Remember what is known from the start."""
        self._store = store
        self._own = [(token, OF_THE_LAB)] + ([] if maker is None else [(maker, OF_THE_MAKER)])

    def bearer(self, headers: Mapping[str, str], address: str, *, verifying: bool) -> Bearer:
        """Who sends a request.

        Args:
            headers: those of the request.
            address: the IP address that it comes from.
            verifying: whether this is `/user/tokens/verify`, which words its refusal differently.

        Raises:
            ApiError: 400, 401 or 403 with Cloudflare's code.
        """
        value = _given(headers.get("Authorization"))
        own = tuple(policy for known, policy in self._own if _same(value, known))
        if own:
            return Bearer(id=_OWN_ID, policies=own, ends={})
        with self._store.transaction() as transaction:
            minted = bearer_of(transaction, value, now=datetime.now(UTC), address=address)
        if minted is not None:
            return minted
        if verifying:
            raise ApiError(401, [(1000, "Invalid API Token")])
        raise ApiError(403, [(9109, "Invalid access token"), (10000, "Authentication error")])


def _given(header: str | None) -> str:
    if header is None:
        raise ApiError(400, [(9106, "Missing X-Auth-Key, X-Auth-Email or Authorization headers")])
    scheme, _, given = header.partition(" ")
    if scheme.lower() != "bearer" or not given.strip():
        raise ApiError(
            400, [(6003, "Invalid request headers"), (6111, "Invalid format for Authorization header")]
        )
    return given.strip()


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(errors="surrogateescape"), other.encode())
