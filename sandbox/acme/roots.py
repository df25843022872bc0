"""The roots to trust: of every Pebble that this checkout has had.

A Pebble makes its root anew at each start and keeps its key in memory only. A certificate that an earlier one signed is
still served after a restart, so its root stays trusted; nobody can sign with it any more. Certificates only, no keys.
"""

import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from sandbox.checkout import write_atomically

MOST = 50
"""Roots that are kept: a person stops and starts a sandbox less often than this in the life of a certificate."""


def remember(path: Path, root: bytes) -> None:
    """Add a root, the newest first; those that have expired, and the oldest beyond `MOST`, go.

    Args:
        path: the file, in PEM form; made where it is missing.
        root: a certificate in PEM form.

    Raises:
        ValueError: `root` is no certificate, or the file holds something else.
    """
    now = datetime.datetime.now(datetime.UTC)
    earlier = x509.load_pem_x509_certificates(path.read_bytes()) if path.exists() else []
    known = {
        found.fingerprint(hashes.SHA256()): found
        for found in (x509.load_pem_x509_certificate(root), *earlier)
    }
    kept = [found for found in known.values() if found.not_valid_after_utc > now][:MOST]
    text = "".join(found.public_bytes(serialization.Encoding.PEM).decode() for found in kept)
    write_atomically(path, text)
