"""Sets of Debian packages: which packages are in one, and where its files end up."""

from pathlib import Path

import pytest

from sandbox import debian, guest_tools
from sandbox.debian import PackageSet
from sandbox.errors import SandboxError

DEPENDS = """\
nftables
  Depends: libnftables1
  Depends: libc6
 |Depends: libedit2
  Depends: libbsd-edit
  Recommends: libnetbase
"""
# What apt-cache answers for any package that is asked; the shell prints the part of each.
APT_CACHE = """#!/bin/sh
for word in "$@"; do
  case "$word" in
    nftables) printf 'nftables\\n  Depends: libnftables1\\n  Depends: libc6\\n  Depends: netbase\\n' ;;
    libnftables1) printf 'libnftables1\\n  Depends: libmnl0\\n  PreDepends: libgmp10\\n' ;;
  esac
done
"""
APT_GET = """#!/bin/sh
echo "$@" >> {log}
case "$1" in indextargets)
  echo 'bookworm-security http://a/security/'; echo 'bookworm http://a/debian/' ;;
esac
for word in "$@"; do case "$word" in nftables|lib*) touch "$word.deb" ;; esac; done
"""
DPKG_DEB = """#!/bin/sh
mkdir -p "$3/usr/bin" && touch "$3/usr/bin/$(basename "$2" .deb)"
"""
DPKG_QUERY = """#!/bin/sh
printf 'ii libgmp10\\nrc libmnl0\\n'
"""


def _set(**changes: object) -> PackageSet:
    return PackageSet(
        **{  # type: ignore[arg-type]
            "folder": "tools",
            "title": "the tools",
            "size": "1 MB",
            "roots": ("nftables",),
            "instead": "bring your own",
            **changes,
        }
    )


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A system whose apt has nftables and its libraries; answers the file with apt-get's calls."""
    log, folder = tmp_path / "log", tmp_path / "bin"
    folder.mkdir()
    programs = {
        "apt-cache": APT_CACHE,
        "apt-get": APT_GET.format(log=log),
        "dpkg-deb": DPKG_DEB,
        "dpkg-query": DPKG_QUERY,
    }
    for name, text in programs.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return log


def _fetched(log: Path) -> set[str]:
    return set(log.read_text().splitlines()[-1].split(" download ")[1].split())


def test_libraries_are_what_is_needed_without_a_choice() -> None:
    """Programs, alternatives and recommendations are not libraries that a program needs."""
    assert debian.libraries_in(DEPENDS) == {"libnftables1", "libc6", "libbsd-edit"}


def test_a_set_with_libraries_of_its_own_takes_all_but_the_c_library(tmp_path: Path, log: Path) -> None:
    """So it stays whole when a library leaves the system; a second C library would break every program."""
    debian.fetch(tmp_path / "cache", _set(own_libraries=True), lambda line: None)
    assert _fetched(log) == {"nftables", "libnftables1", "libmnl0", "libgmp10"}


def test_any_other_set_takes_what_the_system_lacks(tmp_path: Path, log: Path) -> None:
    """An installed library is not taken; one that was removed is."""
    debian.fetch(tmp_path / "cache", _set(), lambda line: None)
    assert _fetched(log) == {"nftables", "libnftables1", "libmnl0"}


def test_a_set_of_backports_is_read_from_the_systems_own_archive(tmp_path: Path, log: Path) -> None:
    """The release and its backports, these first; no other source of the system is asked."""
    debian.fetch(tmp_path / "cache", _set(backports=True), lambda line: None)
    lists = tmp_path / "cache" / "apt-backports"
    sources = (lists / "sources.list").read_text().splitlines()
    assert [line.split()[-3:] for line in sources] == [
        ["http://a/debian/", "bookworm", "main"],
        ["http://a/debian/", "bookworm-backports", "main"],
    ]
    for call in log.read_text().splitlines()[1:]:
        assert f"Dir::Etc::SourceList={lists}/sources.list -o Dir::Etc::SourceParts=/dev/null" in call
        assert "APT::Default-Release=bookworm-backports" in call


def test_a_set_is_there_when_it_is_whole(tmp_path: Path, log: Path) -> None:
    """Before it was fetched there is none; then it is found, finished, and nothing else is left."""
    cache, lines = tmp_path / "cache", list[str]()

    def finish(root: Path) -> None:
        (root / "finished").touch()

    packages = _set(finish=finish)
    assert debian.unpacked(cache, packages) is None
    root = debian.fetch(cache, packages, lines.append)
    assert debian.unpacked(cache, packages) == root.resolve()
    assert (root / "usr/bin/nftables").exists()
    assert (root / "finished").exists()
    assert {path.name for path in (cache / "tools").iterdir()} == {root.name, "current"}
    assert "fetching 3 Debian packages for the tools (once per user, about 1 MB)" in lines


def test_a_set_that_fails_half_way_is_absent(tmp_path: Path, log: Path) -> None:
    """What was unpacked goes, and the sentence has the program's words and what can be done instead."""
    (tmp_path / "bin" / "dpkg-deb").write_text("#!/bin/sh\necho 'archive is broken' >&2; exit 2\n")
    with pytest.raises(
        SandboxError, match=r"cannot unpack .*: archive is broken; .* or bring your own, or run"
    ):
        debian.fetch(tmp_path / "cache", _set(), lambda line: None)
    assert debian.unpacked(tmp_path / "cache", _set()) is None
    assert [path.name for path in (tmp_path / "cache" / "tools").iterdir()] == []


def test_a_tree_of_usr_is_made_of_what_lies_beside_it(tmp_path: Path) -> None:
    """/bin, /sbin and /lib of a package are /usr/bin, /usr/sbin and /usr/lib of a guest; links stay links."""
    for name in (
        "bin/busybox",
        "lib/x86_64-linux-gnu/libtinfo.so.6.4",
        "usr/lib/x86_64-linux-gnu/libmnl.so.0",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "lib/x86_64-linux-gnu/libtinfo.so.6").symlink_to("libtinfo.so.6.4")
    guest_tools.merge_into_usr(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["usr"]
    libraries = tmp_path / "usr/lib/x86_64-linux-gnu"
    assert (libraries / "libtinfo.so.6").read_text() == "lib/x86_64-linux-gnu/libtinfo.so.6.4"
    assert (libraries / "libtinfo.so.6").is_symlink()
    assert (libraries / "libmnl.so.0").exists()
    assert (tmp_path / "usr/bin/busybox").exists()


def test_no_tools_and_no_way_to_get_them_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says what is missing, for what, and what can be done."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SandboxError) as caught:
        guest_tools.guest_tools(tmp_path / "cache")
    assert str(caught.value) == (
        "guests need nft and a static busybox, which the sandbox unpacks from Debian's packages, and apt-get and "
        "dpkg-deb are not here; run it on Debian or Ubuntu, or run `python -m sandbox start --simulated`"
    )


def test_tools_that_do_not_run_are_said_to(tmp_path: Path) -> None:
    """A set of another processor, say: the sentence names the folder to delete."""
    usr = tmp_path / "guest-tools" / "current" / "usr"
    (usr / "sbin").mkdir(parents=True)
    (usr / "sbin" / "nft").write_text("no program")
    (usr / "sbin" / "nft").chmod(0o755)
    with pytest.raises(
        SandboxError, match=f"does not run on this machine: .*; delete {tmp_path}/guest-tools"
    ):
        guest_tools.guest_tools(tmp_path)
