"""Golden files are compared byte for byte, and neither a missing one nor CI writes one unseen."""

from pathlib import Path

import pytest

from tests.support.golden import assert_golden


@pytest.fixture(autouse=True)
def no_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    """Outside of CI, whatever runs these tests."""
    monkeypatch.delenv("HOMELAB_CI", raising=False)


def test_the_same_bytes_pass(tmp_path: Path) -> None:
    """A file with exactly this text is accepted, and an older difference beside it is cleared away."""
    path, actual = tmp_path / "a.txt", tmp_path / "a.txt.actual"
    path.write_bytes("ü\n".encode())
    actual.write_text("old")
    assert_golden(path, "ü\n", update=False)
    assert not actual.exists()


@pytest.mark.parametrize("found", ["a", "a\n\n", "a\r\n", "A\n"])
def test_one_byte_is_a_difference(found: str, tmp_path: Path) -> None:
    """Any other byte fails, and the new text lies beside the file."""
    path = tmp_path / "a.txt"
    path.write_bytes(b"a\n")
    with pytest.raises(pytest.fail.Exception, match="has changed"):
        assert_golden(path, found, update=False)
    assert (tmp_path / "a.txt.actual").read_bytes() == found.encode()
    assert path.read_bytes() == b"a\n"


def test_a_missing_file_fails(tmp_path: Path) -> None:
    """A first run is no golden file: somebody has to read it."""
    with pytest.raises(pytest.fail.Exception, match="no golden file"):
        assert_golden(tmp_path / "new" / "a.txt", "a\n", update=False)
    assert not (tmp_path / "new" / "a.txt").exists()
    assert (tmp_path / "new" / "a.txt.actual").read_text() == "a\n"


def test_updating_writes(tmp_path: Path) -> None:
    """With the flag the file is written, with its folder."""
    assert_golden(tmp_path / "new" / "a.txt", "a\n", update=True)
    assert (tmp_path / "new" / "a.txt").read_bytes() == b"a\n"


def test_ci_does_not_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In CI the flag is a failure, because nobody would read the difference."""
    monkeypatch.setenv("HOMELAB_CI", "1")
    with pytest.raises(pytest.fail.Exception, match="not written in CI"):
        assert_golden(tmp_path / "a.txt", "a\n", update=True)
    assert list(tmp_path.iterdir()) == []
