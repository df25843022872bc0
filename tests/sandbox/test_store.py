"""The sandbox's store: atomic, durable, thread-safe."""

import sqlite3
import stat
import subprocess
import sys
import textwrap
import threading
from contextlib import closing
from pathlib import Path

import pytest

from sandbox.store import _STEPS, StateFileError, Store, StoreError, Transaction

ROOT = Path(__file__).resolve().parents[2]


def test_documents_survive_reopening(tmp_path: Path) -> None:
    """What was committed is there when the file is opened again, and the file is private."""
    store = Store(tmp_path / "state.db")
    with store.transaction() as t:
        t.put("guests", "100", {"name": "gateway", "on": True})
    store.close()
    with Store(tmp_path / "state.db").transaction() as t:
        assert t.get("guests", "100") == {"name": "gateway", "on": True}
        assert t.get("guests", "101") is None
    assert stat.S_IMODE((tmp_path / "state.db").stat().st_mode) == 0o600


def _write_and_fail(store: Store) -> None:
    with store.transaction() as t:
        t.put("a", "1", 1)
        assert t.next_number("n") == 1
        raise RuntimeError


def _write_part_and_fail(t: Transaction) -> None:
    with t.part():
        t.put("a", "inside", 1)
        raise RuntimeError


def test_an_error_rolls_everything_back() -> None:
    """Nothing of a transaction that raises is kept, its counter included."""
    store = Store(":memory:")
    with pytest.raises(RuntimeError):
        _write_and_fail(store)
    with store.transaction() as t:
        assert t.list("a") == []
        assert t.next_number("n") == 1


def test_a_part_fails_alone() -> None:
    """What a failed part wrote is undone, what was written around it is kept."""
    store = Store(":memory:")
    with store.transaction() as t:
        t.put("a", "before", 1)
        with pytest.raises(RuntimeError):
            _write_part_and_fail(t)
        with t.part():
            t.put("a", "after", 1)
        assert [key for key, _ in t.list("a")] == ["after", "before"]


def test_list_is_ordered_and_delete_tells() -> None:
    """A collection is listed by key; delete says whether there was something."""
    store = Store(":memory:")
    with store.transaction() as t:
        t.put("a", "2", "b")
        t.put("a", "1", "a")
        t.put("b", "0", "other")
        assert t.list("a") == [("1", "a"), ("2", "b")]
        assert t.delete("a", "1") is True
        assert t.delete("a", "1") is False


def test_threads_never_lose_an_update() -> None:
    """Eight threads that count in one document end at the sum of their steps."""
    store = Store(":memory:")

    def work() -> None:
        for _ in range(50):
            with store.transaction() as t:
                t.put("c", "x", (t.get("c", "x") or 0) + 1)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.transaction() as t:
        assert t.get("c", "x") == 400


def test_misuse_is_refused() -> None:
    """Nested transactions, dead transactions, None and values JSON lacks are errors."""
    store = Store(":memory:")
    with store.transaction() as t:
        with pytest.raises(StoreError, match="already"), store.transaction():
            pass
        with pytest.raises(StoreError, match="not a JSON value"):
            t.put("a", "1", object())
        with pytest.raises(StoreError, match="use delete"):
            t.put("a", "1", None)
    with pytest.raises(StoreError, match="over"):
        t.get("a", "1")


def test_a_file_that_is_no_store_is_an_error_with_the_repair(tmp_path: Path) -> None:
    """A file of other content is refused with a sentence that names the repair."""
    (tmp_path / "state.db").write_text("something else that is long enough to be no header" * 40)
    with pytest.raises(StateFileError, match="make clean"):
        Store(tmp_path / "state.db")


def _format_of(path: Path, *, becomes: int | None = None) -> int:
    with closing(sqlite3.connect(path)) as connection:
        if becomes is not None:
            connection.execute(f"PRAGMA user_version = {becomes}")
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _file_with_a_guest(path: Path) -> None:
    store = Store(path)
    with store.transaction() as t:
        t.put("guests", "100", "kept")
    store.close()


def test_a_file_from_before_formats_were_counted_is_taken_over(tmp_path: Path) -> None:
    """Its documents stay, and it has the present format afterwards."""
    path = tmp_path / "state.db"
    _file_with_a_guest(path)
    present = _format_of(path)
    _format_of(path, becomes=0)
    store = Store(path)
    with store.transaction() as t:
        assert t.get("guests", "100") == "kept"
    store.close()
    assert _format_of(path) == present > 0


def test_a_file_of_a_newer_format_is_refused_and_left_alone(tmp_path: Path) -> None:
    """The sentence has both formats and the ways out."""
    path = tmp_path / "state.db"
    _file_with_a_guest(path)
    _format_of(path, becomes=99)
    with pytest.raises(StateFileError) as problem:
        Store(path)
    assert str(problem.value) == (
        f"the sandbox's state {path} has format 99, and this version of the sandbox knows formats up to "
        f"{len(_STEPS)}; start it with the version that wrote it, or start from nothing with `make clean`"
    )
    assert _format_of(path) == 99


def test_a_migration_is_done_once_and_as_a_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step that fails half-way leaves the file as it was; one that succeeds is not repeated."""
    path = tmp_path / "state.db"
    _file_with_a_guest(path)
    rename = "UPDATE documents SET collection = 'machines' || substr(collection, 7)"
    monkeypatch.setattr("sandbox.store._STEPS", (*_STEPS, (rename, "nonsense")))
    with pytest.raises(StateFileError, match="nonsense"):
        Store(path)
    assert _format_of(path) == len(_STEPS)
    monkeypatch.setattr("sandbox.store._STEPS", (*_STEPS, (rename,)))
    for _ in range(2):
        store = Store(path)
        with store.transaction() as t:
            assert (t.list("guests"), t.list("machines")) == ([], [("100", "kept")])
        store.close()


def test_a_killed_process_leaves_whole_transactions(tmp_path: Path) -> None:
    """A process that is killed inside a transaction leaves the pair of documents equal."""
    script = textwrap.dedent(
        """
        import os, sys
        from sandbox.store import _STEPS, Store
        store = Store(sys.argv[1])
        with store.transaction() as t:
            t.put("pair", "a", 1); t.put("pair", "b", 1)
        with store.transaction() as t:
            t.put("pair", "a", 2)
            os.kill(os.getpid(), 9)
        """
    )
    path = tmp_path / "state.db"
    done = subprocess.run([sys.executable, "-c", script, str(path)], cwd=ROOT, timeout=30, check=False)
    assert done.returncode == -9
    with Store(path).transaction() as t:
        assert t.list("pair") == [("a", 1), ("b", 1)]


def _write_rules_and_fail(store: Store) -> None:
    with store.transaction() as t:
        t.put("rules", "1", "undone")
        raise RuntimeError


def test_followers_hear_of_commits_that_wrote_to_their_collections() -> None:
    """After the commit, so that they can read it; not of reads, of other collections and of what was undone."""
    store, heard = Store(":memory:"), list[object]()

    def tell() -> None:
        with store.transaction() as t:
            heard.append(t.get("rules", "1"))

    store.follow(["rules", "guests"], tell)
    with store.transaction() as t:
        t.put("rules", "1", "first")
    with store.transaction() as t:
        t.put("tasks", "1", "other")
        t.get("rules", "1")
    with pytest.raises(RuntimeError):
        _write_rules_and_fail(store)
    with store.transaction() as t:
        t.delete("guests", "9")
    assert heard == ["first", "first"]
    store.close()
