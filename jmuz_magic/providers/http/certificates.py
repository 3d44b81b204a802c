"""The authorities whose certificates are accepted: the system's, and the user's own.

`SSL_CERT_FILE` and `SSL_CERT_DIR` are OpenSSL's, and what Python documents (PEP 476); httpx and, with it, the SDKs of
OpenAI and Anthropic read them too. `REQUESTS_CA_BUNDLE` is known to requests alone, but it is what many companies set,
so it adds to the system's authorities unless `SSL_CERT_FILE` names others. aiohttp reads none of them (aiohttp #3180).
"""

from __future__ import annotations

import os
import ssl
from pathlib import Path

from jmuz_magic.errors import ProviderConnectionError

__all__ = ["authority_setting", "checking_context"]

FILES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
"""Variables that name a file of certificates; the first that is set counts."""


def authority_setting() -> tuple[str | None, ...]:
    """What decides which authorities are accepted; a context is renewed when it changes."""
    return tuple(os.environ.get(name) for name in (*FILES, "SSL_CERT_DIR"))


def checking_context() -> ssl.SSLContext:
    """A context that checks certificates.

    Raises:
        ProviderConnectionError: the variable names no file of certificates, which OpenSSL would ignore.
    """
    context = ssl.create_default_context()  # knows SSL_CERT_FILE and SSL_CERT_DIR
    named = next(((name, path) for name in FILES if (path := os.environ.get(name))), None)
    if named and (problem := _load(context, named[1])):
        name, path = named
        raise ProviderConnectionError(
            f"expected a file of certificates in {name}, but {path} cannot be used ({problem}); correct or unset it"
        )
    return context


def _load(context: ssl.SSLContext, path: str) -> str:
    """Accept the authorities in this file, or folder of hashed names; return why that failed, or ""."""
    try:
        if Path(path).is_dir():
            context.load_verify_locations(capath=path)
        else:
            context.load_verify_locations(cafile=path)
    except ssl.SSLError:
        return "it contains no certificate"
    except (OSError, ValueError) as error:
        return getattr(error, "strerror", None) or type(error).__name__
    return ""
