"""A registry of one image, made in memory and served with TLS on loopback, for engines that shall pull.

It speaks as much of the distribution API v2 as a pull needs. Layers are redirected to another host name, as the
registries of the world do.
"""

import datetime
import gzip
import hashlib
import io
import json
import platform
import ssl
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sandbox.docker.images import ARCHITECTURES

HOST, LAYER_HOST = "registry.test", "layers.test"
REPOSITORY = "lab/real"
PROGRAM = "/app/server"
ANSWER = "the real image"
_TYPE = "application/vnd.docker."
_LIST = f"{_TYPE}distribution.manifest.list.v2+json"
_MANIFEST = f"{_TYPE}distribution.manifest.v2+json"


@dataclass(frozen=True, kw_only=True)
class Registry:
    """A registry that is served.

    Attributes:
        port: its port on 127.0.0.1.
        digest: of the manifest list.
        image_id: of the image for this processor.
        asked: the `host:port` and path of each request so far.
    """

    port: int
    digest: str
    image_id: str
    asked: list[str]

    @property
    def name(self) -> str:
        """As it is written in references."""
        return f"{HOST}:{self.port}"

    @property
    def reference(self) -> str:
        """The one image."""
        return f"{self.name}/{REPOSITORY}:1.0@{self.digest}"


@contextmanager
def served_registry(binary: Path, folder: Path) -> Iterator[Registry]:
    """Serve an image whose program is a static binary of the stand-in.

    Args:
        binary: the program.
        folder: an empty one, for the certificate.
    """
    documents, digest, image_id = _documents(binary)
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            host = self.headers["Host"]
            asked.append(f"{host}{self.path}")
            known = documents.get(self.path)
            if self.path == "/v2/":
                self._send(200, "application/json", b"{}")
            elif known is None:
                body = {"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]}
                self._send(404, "application/json", json.dumps(body).encode())
            elif known[0] == "layer" and not host.startswith(LAYER_HOST):
                self._send(307, "text/plain", b"", f"https://{LAYER_HOST}:{port}{self.path}")
            else:
                self._send(200, *known)

        do_HEAD = do_GET

        def _send(self, status: int, content: str, body: bytes, location: str | None = None) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Docker-Content-Digest", _digest(body))
            if location:
                self.send_header("Location", location)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Requests are kept, not printed."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(_certificate(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        # A thread per connection makes the handshake: a probe that only connects must hold up nobody.
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        port = int(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield Registry(port=port, digest=digest, image_id=image_id, asked=asked)
        finally:
            server.shutdown()
            thread.join()


def _documents(binary: Path) -> tuple[dict[str, tuple[str, bytes]], str, str]:
    """What is served by path: type and content; then the digest of the list, and the image id."""
    layer = _layer(binary)
    packed = gzip.compress(layer, mtime=0)
    system = {"architecture": ARCHITECTURES[platform.machine()], "os": "linux"}
    config = _json(
        {
            **system,
            "config": {
                "Entrypoint": [PROGRAM],
                "Cmd": ["serve"],
                "Env": ["HOMELAB_LISTENS=8080/tcp", f"HOMELAB_NAME={ANSWER}"],
                "Healthcheck": {"Test": ["CMD", PROGRAM, "health"], "Interval": 200_000_000},
            },
            "rootfs": {"type": "layers", "diff_ids": [_digest(layer)]},
            "history": [{"created_by": "test"}],
        }
    )
    manifest = _json(
        {
            "schemaVersion": 2,
            "mediaType": _MANIFEST,
            "config": _part(f"{_TYPE}container.image.v1+json", config),
            "layers": [_part(f"{_TYPE}image.rootfs.diff.tar.gzip", packed)],
        }
    )
    other = {**_part(_MANIFEST, b"another processor"), "platform": {"architecture": "s390x", "os": "linux"}}
    listing = _json(
        {
            "schemaVersion": 2,
            "mediaType": _LIST,
            "manifests": [other, {**_part(_MANIFEST, manifest), "platform": system}],
        }
    )
    base = f"/v2/{REPOSITORY}"
    documents = {
        f"{base}/manifests/{_digest(listing)}": (_LIST, listing),
        f"{base}/manifests/{_digest(manifest)}": (_MANIFEST, manifest),
        f"{base}/blobs/{_digest(config)}": ("application/octet-stream", config),
        f"{base}/blobs/{_digest(packed)}": ("layer", packed),
    }
    return documents, _digest(listing), _digest(config)


def _layer(binary: Path) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        content = binary.read_bytes()
        entry = tarfile.TarInfo(PROGRAM.lstrip("/"))
        entry.size, entry.mode = len(content), 0o755
        archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def _part(media_type: str, content: bytes) -> dict[str, object]:
    return {"mediaType": media_type, "size": len(content), "digest": _digest(content)}


def _json(document: object) -> bytes:
    return json.dumps(document).encode()


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _certificate(folder: Path) -> Path:
    """A certificate signed by itself, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST), x509.DNSName(LAYER_HOST)]), False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "registry.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path
