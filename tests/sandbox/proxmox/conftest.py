"""A Proxmox VE API on a loopback port over TLS, with a host that only remembers what it was asked."""

import asyncio
import datetime
import ipaddress
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sandbox.proxmox.description import ApiDescription
from sandbox.proxmox.server import application
from sandbox.store import Store
from tests.sandbox.proxmox.doubles import TOKEN, Api, RecordingHost
from tests.support.shared import shared_path


@pytest.fixture(scope="session")
def description() -> ApiDescription:
    """Proxmox's own description of its API."""
    return ApiDescription.load(shared_path("schemas/pve-apidoc.json"))


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate and its key for 127.0.0.1, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.datetime.now(datetime.UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def host() -> RecordingHost:
    """The host that the API starts guests on."""
    return RecordingHost()


@pytest.fixture
def store() -> Iterator[Store]:
    """The state of the API."""
    store = Store(":memory:")
    yield store
    store.close()


@pytest.fixture
def api(store: Store, description: ApiDescription, host: RecordingHost, certificate: Path) -> Iterator[Api]:
    """The API, served over TLS 1.3 as the daemon serves it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(certificate)
    loop = asyncio.new_event_loop()

    async def start() -> tuple[web.AppRunner, int]:
        app = application(store, token=TOKEN, description=description, guests=host)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
        await site.start()
        return runner, runner.addresses[0][1]

    runner, port = loop.run_until_complete(start())
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    with Api(port=port, ca=certificate) as client:
        yield client
    asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()
