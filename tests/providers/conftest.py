"""A fault server for each test, and one of each special kind."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from jmuz_magic.providers.advice import set_magics_loaded
from tests.fault_server import FaultServer


@pytest.fixture
def magics() -> Iterator[None]:
    """Messages name magics, as in a shell that has them."""
    set_magics_loaded(True)
    yield
    set_magics_loaded(False)


@pytest.fixture
def stranger() -> Iterator[FaultServer]:
    """A server of another origin, which nothing may reach."""
    with FaultServer(host="127.0.0.2") as running:
        yield running


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[trustme.CA, Path]:
    """A certificate authority of our own, and its certificate as a file."""
    authority = trustme.CA()
    path = tmp_path_factory.mktemp("tls") / "authority.pem"
    authority.cert_pem.write_to_path(str(path))
    return authority, path


def tls_context(authority: trustme.CA, host: str, *, expired: bool = False) -> ssl.SSLContext:
    """A server's TLS context with a certificate for `host`."""
    now = dt.datetime.now(dt.UTC)
    end = now - dt.timedelta(days=1) if expired else None
    start = now - dt.timedelta(days=2) if expired else None
    certificate = authority.issue_cert(host, not_before=start, not_after=end)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate.configure_cert(context)
    return context


def self_signed_context(folder: Path, host: str) -> ssl.SSLContext:
    """A server's TLS context with a certificate for the address `host` that only its own key vouches for."""
    now = dt.datetime.now(dt.UTC)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now.replace(year=9000))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(host))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "self-signed.pem"
    plain = serialization.NoEncryption()
    form = serialization.PrivateFormat.PKCS8
    pem = serialization.Encoding.PEM
    path.write_bytes(key.private_bytes(pem, form, plain) + certificate.public_bytes(pem))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(path)
    return context
