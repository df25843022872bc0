"""The real BIND on rendered files: its checkers are content, and it answers, refuses and forwards as is meant."""

import os
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import dns.message
import dns.query
import dns.rcode
import dns.reversename
import dns.rrset
import pytest

from lab.plan.records import ResolverPlan
from lab.render.resolver import resolver_files
from lab.render.zone_file import zone_files
from sandbox.certificates import authority_file, ensure_certificates, ensure_named, server_context
from sandbox.checkout import Checkout, cache_dir
from sandbox.fabric.kernel import NAMESPACES, Kernel, inside, missing_rights
from tests.lab.plan.test_resolver import lab, resolver
from tests.labs.reading import lab_file
from tests.support.bind9 import Bind9, bind9
from tests.support.needs import need
from tests.support.plans import plan_of

pytestmark = pytest.mark.engine
UPSTREAM, UPSTREAM_NAME = "198.51.100.53", "dns.upstream.example"
HERE, NEIGHBOUR, STRANGER = "10.10.20.53", "10.10.20.99", "192.0.2.1"


@pytest.fixture(scope="module")
def bind() -> Bind9:
    """The programs."""
    return bind9(cache_dir())


@pytest.fixture
def namespace() -> Iterator[Path]:
    """A network of its own in which the resolver, a neighbour, a stranger and the upstream have their addresses."""
    need(missing_rights() is None, f"a network namespace: {missing_rights()}")
    kernel = Kernel(f"hl-bind-{os.getpid()}-")
    name = f"{kernel.prefix}0"
    kernel.add(name)
    try:
        kernel.batch(name, [f"addr add {a}/32 dev lo" for a in (HERE, NEIGHBOUR, STRANGER, UPSTREAM)])
        yield NAMESPACES / name
    finally:
        kernel.delete(name)


class Upstream:
    """A name server that speaks TLS only, and remembers what it was asked."""

    def __init__(self, context: ssl.SSLContext, namespace: Path) -> None:
        self.asked: list[str] = []
        self._context = context
        self._listener = inside(namespace, lambda: socket.create_server((UPSTREAM, 853)))
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Listen no more."""
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(plain,), daemon=True).start()

    def _serve(self, plain: socket.socket) -> None:
        try:
            with self._context.wrap_socket(plain, server_side=True) as stream:
                while head := stream.recv(2):
                    query = dns.message.from_wire(stream.recv(struct.unpack("!H", head)[0]))
                    wire = self._answer(query).to_wire()
                    stream.sendall(struct.pack("!H", len(wire)) + wire)
        except OSError:
            # A client that does not trust the certificate goes away.
            return

    def _answer(self, query: dns.message.Message) -> dns.message.Message:
        name = query.question[0].name
        self.asked.append(name.to_text())
        answer = dns.message.make_response(query, recursion_available=True)
        answer.answer.append(dns.rrset.from_text(name, 60, "IN", "A", "203.0.113.80"))
        return answer


@pytest.fixture
def upstream(tmp_path: Path, namespace: Path) -> Iterator[Callable[[str], Upstream]]:
    """Starts an upstream whose certificate is for a name."""
    with_authority = Checkout(tmp_path)
    ensure_certificates(with_authority)
    started: list[Upstream] = []

    def start(name: str) -> Upstream:
        ensure_named(with_authority, "upstream", [name])
        context = server_context(with_authority, "upstream")
        context.set_alpn_protocols(["dot"])
        started.append(Upstream(context, namespace))
        return started[-1]

    yield start
    for one in started:
        one.close()


def written(given: ResolverPlan, folder: Path) -> Path:
    """The files of a resolver in another folder; answers the first of them."""
    for path, text in resolver_files(replace(given, folder=str(folder))).items():
        Path(path).write_text(text.replace("/var/cache/bind", str(folder)))
    return folder / "named.conf"


def asked(namespace: Path, name: str, kind: str = "A", *, source: str = NEIGHBOUR) -> dns.message.Message:
    """The answer to a question from an address."""
    query = dns.message.make_query(name, kind)
    return inside(namespace, lambda: dns.query.udp(query, HERE, source=source, timeout=10))


def texts(answer: dns.message.Message) -> list[str]:
    """The data of an answer."""
    return [item.to_text() for found in answer.answer for item in found]


@pytest.mark.parametrize("name", ["flat-subnet", "full"])
def test_the_checkers_are_content(name: str, bind: Bind9, tmp_path: Path) -> None:
    """The configuration and each zone are read by the programs that they are for."""
    file = (
        lab_file(name)
        if name != "full"
        else Path(__file__).resolve().parents[2] / "support" / "full_lab.yaml"
    )
    given = plan_of(file).dns.resolver
    assert given is not None
    configuration = written(given, tmp_path)
    bind.run("named-checkconf", "-z", str(configuration))
    for zone in zone_files(given):
        assert "OK" in bind.run("named-checkzone", zone, str(tmp_path / f"db.{zone}"))


def test_names_are_answered_both_ways(bind: Bind9, namespace: Path, tmp_path: Path) -> None:
    """A machine and a route, the way back, and that there is no such name; hidden are version and transfer."""
    with bind.serve(written(resolver(lab()), tmp_path), namespace):
        assert texts(asked(namespace, "docker-1.lab.example")) == ["10.10.20.11"]
        assert texts(asked(namespace, "www.lab.example")) == ["10.10.20.11"]
        back = dns.reversename.from_address("10.10.20.50").to_text()
        assert texts(asked(namespace, back, "PTR")) == ["tv.lab.example."]
        assert texts(asked(namespace, "lab.example", "NS")) == ["dns.lab.example."]
        assert asked(namespace, "nobody.lab.example").rcode() == dns.rcode.NXDOMAIN
        version = dns.message.make_query("version.bind", "TXT", "CH")
        hidden = inside(namespace, lambda: dns.query.udp(version, HERE, source=NEIGHBOUR, timeout=10))
        assert texts(hidden) == ['"none"']
        transfer = dns.message.make_query("lab.example", "AXFR")
        refused = inside(namespace, lambda: dns.query.tcp(transfer, HERE, source=NEIGHBOUR, timeout=10))
        assert refused.rcode() == dns.rcode.REFUSED


def test_a_stranger_is_refused(bind: Bind9, namespace: Path, tmp_path: Path) -> None:
    """Who is on no segment of the lab learns nothing, not even of the lab's own names."""
    with bind.serve(written(resolver(lab()), tmp_path), namespace):
        for name in ("docker-1.lab.example", "anything.example"):
            assert asked(namespace, name, source=STRANGER).rcode() == dns.rcode.REFUSED


@pytest.mark.parametrize(("certified", "trusted"), [(UPSTREAM_NAME, True), ("somebody.else.example", False)])
def test_the_rest_goes_over_tls_to_whom_it_is_meant_for(
    certified: str,
    trusted: bool,
    bind: Bind9,
    namespace: Path,
    upstream: Callable[[str], Upstream],
    tmp_path: Path,
) -> None:
    """The upstream is asked over TLS once its certificate has the name that is declared, and not at all else."""
    server = upstream(certified)
    forward = {"addresses": [UPSTREAM], "tls-name": UPSTREAM_NAME}
    given = resolver(lab({"forward": forward, "filters": "yes"}))
    folder = tmp_path / "bind"
    folder.mkdir()
    roots = str(authority_file(Checkout(tmp_path)))
    with bind.serve(written(given, folder), namespace, SSL_CERT_FILE=roots):
        answer = asked(namespace, "example.org")
        inner = asked(namespace, "docker-1.lab.example")
    assert texts(answer) == (["203.0.113.80"] if trusted else [])
    assert answer.rcode() == (dns.rcode.NOERROR if trusted else dns.rcode.SERVFAIL)
    assert ("example.org." in server.asked) is trusted
    # The lab's own names never leave it.
    assert texts(inner) == ["10.10.20.11"]
    assert not any("lab.example" in name for name in server.asked)
