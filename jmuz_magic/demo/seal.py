"""What a service adds to reasoning that it wants back untouched: a signature, of which clients understand nothing."""

from __future__ import annotations

import base64
import hashlib

__all__ = ["seal"]


def seal(reasoning: str) -> str:
    """A signature of `reasoning`; not a secret, so that it is the same in every process."""
    digest = hashlib.sha256(f"demo {reasoning}".encode(errors="replace")).digest()
    return base64.b64encode(digest).decode()
