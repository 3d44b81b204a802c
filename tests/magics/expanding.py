"""A prompt's expressions replaced, as one call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jmuz_magic.magics.prompt.expander import Expander
from jmuz_magic.notebook.images import Image


@dataclass(frozen=True)
class Expanded:
    """A text with its expressions replaced, and the images that stand in it as `[image 1]`, in order."""

    text: str
    images: tuple[Image, ...] = ()


def expand(template: str, namespace: Mapping[str, Any], *, what: str = "prompt") -> Expanded:
    """`template` with every `{{expression}}` replaced by the text of its value; see `Expander`.

    Raises:
        UsageError: an expression could not be read, evaluated or shown.
    """
    expander = Expander(namespace)
    text = expander.text(template, what=what, images=True)
    return Expanded(text, tuple(expander.images))
