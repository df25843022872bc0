"""The official release: taken when it is what was published, else refused or left alone."""

import hashlib
import io
import tarfile
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from toolchain import cache, release
from toolchain.errors import ToolchainError


class Quiet(SimpleHTTPRequestHandler):
    """A server of files that does not write to the test's output."""

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def published(folder: Path) -> Path:
    """Write a release for this platform into ``folder`` as its publisher would; return the archive."""
    archive = folder / (release.archive_name() or "none")
    with tarfile.open(archive, "w:gz") as tar:
        for name in ("pulumi/pulumi", "pulumi/pulumi-language-python", "../outside", "pulumi/sub/deeper"):
            content = name.encode()
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    (folder / release.CHECKSUMS).write_text(f"{'0' * 64}  another.tar.gz\n{digest}  {archive.name}\n")
    return archive


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder that a loopback server publishes in place of the official host."""
    if release.archive_name() is None:
        pytest.skip("no release is published for this platform")
    folder = tmp_path / "published"
    folder.mkdir()
    monkeypatch.setenv("HOMELAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("HOMELAB_ENGINE_RELEASE", raising=False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setattr(release, "HOST", f"http://127.0.0.1:{server.server_port}")
    yield folder
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_release_that_is_what_was_published_is_used(host: Path) -> None:
    """Its programs lie in one folder, executable; nothing else in the archive is unpacked."""
    published(host)
    program = release.fetch_release()
    assert program == release.find_release() is not None
    assert program is not None
    assert sorted(path.name for path in program.parent.iterdir()) == ["pulumi", "pulumi-language-python"]
    assert program.read_text() == "pulumi/pulumi"
    assert program.stat().st_mode & 0o111


def test_a_release_is_fetched_once(host: Path) -> None:
    """The second call needs no network."""
    archive = published(host)
    first = release.fetch_release()
    archive.unlink()
    assert release.fetch_release() == first


def test_a_release_that_differs_from_what_was_published_is_an_error(host: Path) -> None:
    """A wrong sha256 stops the work, leaves nothing in the cache and is no reason to build instead."""
    archive = published(host)
    archive.write_bytes(archive.read_bytes() + b"x")
    with pytest.raises(ToolchainError, match=r"is not usable .*its sha256 is [0-9a-f]{64}, published is"):
        release.fetch_release()
    assert [path.name for path in cache.toolchain_root().iterdir()] == [".pulumi-release.lock"]


def test_an_unreachable_host_is_said_and_left_alone(
    host: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No answer gives no release and one line; nothing waits longer than the timeout."""
    assert release.fetch_release() is None
    assert capsys.readouterr().err == "pulumi: the official release cannot be had within 3 s, so build it\n"


def test_a_release_can_be_switched_off(
    host: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the switch nothing is asked, even where a release could be had."""
    published(host)
    monkeypatch.setenv("HOMELAB_ENGINE_RELEASE", "no")
    assert release.fetch_release() is None
    assert "no official release is used" in capsys.readouterr().err
