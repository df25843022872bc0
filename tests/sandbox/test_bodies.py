"""Bodies of requests: what is read, and what is refused with its reason."""

import pytest

from sandbox.bodies import BodyError, read_json


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "it is not JSON: Expecting value"),
        ('{"ttl": 1e999}', "it is not JSON: 1e999 is not a number that JSON can carry"),
        ('{"ttl": NaN}', "it is not JSON: NaN is not a number that JSON can carry"),
        ('{"ttl": -Infinity}', "it is not JSON: -Infinity is not a number that JSON can carry"),
        ("[" * 100_000, "it is nested too deeply"),
        ("1" * 5_000, "it is not JSON: Exceeds the limit"),
    ],
)
def test_what_is_refused(text: str, reason: str) -> None:
    """Each says why, as the end of a sentence."""
    with pytest.raises(BodyError) as problem:
        read_json(text)
    assert str(problem.value).startswith(reason)


def test_half_a_surrogate_pair_is_replaced() -> None:
    """Alone it cannot be stored or sent; a whole pair is the character that it means."""
    assert read_json(r'{"\ud800": ["a\udc00b", "\ud83d\ude00", 1]}') == {"\ufffd": ["a\ufffdb", "😀", 1]}
