"""Cloudflare's refusals: an HTTP status and one or more (code, message) pairs.

Codes and texts are those of the real API where a recording or its documentation gives them.
"""

from collections.abc import Sequence


class ApiError(Exception):
    """A request that the API refuses.

    Args:
        status: HTTP status.
        problems: (code, message) pairs, all problems of the request at once.
    """

    def __init__(self, status: int, problems: Sequence[tuple[int, str]]) -> None:
        """Keep status and problems."""
        super().__init__("; ".join(f"{code} {message}" for code, message in problems))
        self.status = status
        self.problems = tuple(problems)


def no_route(path: str) -> ApiError:
    """The answer to a path that does not exist, or whose identifiers have the wrong form."""
    return ApiError(
        404,
        [
            (7003, f"Could not route to {path}, perhaps your object identifier is invalid?"),
            (7000, "No route for that URI"),
        ],
    )


def not_authorised() -> ApiError:
    """The answer for what does not exist or may not be seen with this token."""
    return ApiError(403, [(9109, "Unauthorized to access requested resource")])


def missing_record() -> ApiError:
    """The answer for a record id that does not exist in the zone."""
    return ApiError(404, [(81044, "Record does not exist.")])


def no_right() -> ApiError:
    """The answer for records of a zone that the token may see, or of another zone, without the right to them."""
    return ApiError(403, [(10000, "Authentication error")])


def missing_token() -> ApiError:
    """The answer for the id of a token that does not exist."""
    return ApiError(404, [(1003, "Token not found")])
