"""What messages tell users to type: a magic where the magics are loaded, Python elsewhere."""

from __future__ import annotations

__all__ = ["advice", "list_advice", "set_magics_loaded"]

_magics_loaded = False


def set_magics_loaded(loaded: bool) -> None:
    """Say whether a shell of this process has the magics."""
    global _magics_loaded
    _magics_loaded = loaded


def advice(magic: str, python: str) -> str:
    """The one of the two that works in this process."""
    return magic if _magics_loaded else python


def list_advice() -> str:
    """What lists the models of an endpoint."""
    return advice("%jmuz_models", "the provider's get_models()")
