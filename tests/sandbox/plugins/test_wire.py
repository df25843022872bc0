"""Property values on the wire: what goes in comes out, and what no type takes is refused."""

import pytest
from google.protobuf.struct_pb2 import Struct
from hypothesis import given
from hypothesis import strategies as st

from sandbox.plugins import wire
from sandbox.plugins.values import UNKNOWN, Secret, Value

SCALARS = st.none() | st.booleans() | st.integers(-(2**50), 2**50) | st.text() | st.just(UNKNOWN)
VALUES: st.SearchStrategy[Value] = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3) | inner.map(Secret)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), VALUES, max_size=4))
def test_encoding_and_decoding_gives_the_same(values: dict[str, Value]) -> None:
    """Nulls, whole numbers, unknowns and secrets survive the wire at any depth."""
    assert wire.decode(wire.encode(values)) == values


def test_plain_decoding_names_the_secret_properties() -> None:
    """A secret inside a list makes the property secret, and its value is plain."""
    values, secret = wire.decode_plain(wire.encode({"a": ["x", Secret("y")], "b": 1}))
    assert values == {"a": ["x", "y"], "b": 1}
    assert secret == {"a"}


def test_a_secret_does_not_show_its_value() -> None:
    """The representation of a secret is safe in any message."""
    assert "hunter2" not in repr({"password": Secret("hunter2")})


@pytest.mark.parametrize("signature", sorted(wire.REFUSED_SIGNATURES))
def test_an_asset_or_reference_is_refused_with_its_path(signature: str) -> None:
    """Kinds of values that no type takes are errors that name the property."""
    struct = Struct()
    struct.fields["files"].list_value.values.add().struct_value.fields[
        wire.SIGNATURE
    ].string_value = signature
    with pytest.raises(wire.WireError, match=r"files\[0\]"):
        wire.decode(struct)
