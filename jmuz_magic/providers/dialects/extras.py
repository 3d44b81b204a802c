"""What a reply brings besides text: images, sources, audio, and what cannot be shown."""

from __future__ import annotations

from typing import Any

from jmuz_magic.messages import Chunk, Citation, Citations, Unshown
from jmuz_magic.providers.dialects.mending import mend
from jmuz_magic.providers.dialects.pictures import MOST_IMAGES, read_image

__all__ = ["Extras"]

MOST_CITATIONS = 200
LONGEST_URL = 4_000
LONGEST_TITLE = 300


class Extras:
    """Collects them for one reply, across all choices."""

    def __init__(self) -> None:
        self._images = 0
        self._cited: dict[str, str] = {}  # title by address, in the service's order
        self._audio: dict[str, dict[str, Any]] = {}
        self._encrypted: list[Any] = []
        self._unshown: list[Unshown] = []
        self._annotations: set[str] = set()  # those among them

    def image(self, part: Any, chunks: list[Chunk]) -> None:
        """Take an image part."""
        image = read_image(part)
        if isinstance(image, Unshown):
            self._unshown.append(image)
        elif self._images == MOST_IMAGES:
            self._unshown.append(Unshown(f"image after the first {MOST_IMAGES}", part))
        else:
            self._images += 1
            chunks.append(image)

    def audio(self, part: dict[str, Any]) -> str:
        """Take audio; its transcript is part of the reply's text."""
        transcript = part.get("transcript")
        kept = self._audio.setdefault(str(part.get("id") or ""), {"data": []})
        kept["data"] += [part["data"]] if part.get("data") else []
        kept |= {name: value for name, value in part.items() if name not in ("data", "transcript")}
        return transcript if isinstance(transcript, str) else ""

    def encrypted(self, value: Any) -> None:
        """Take reasoning that only the service can read."""
        self._encrypted.append(value)

    def keep(self, kind: str, value: Any) -> None:
        """Take something that cannot be shown."""
        self._unshown.append(Unshown(kind, value))

    def cite(self, sources: Any) -> None:
        """Take a list of sources of any shape: URLs, objects with one, annotations."""
        for source in sources if isinstance(sources, list) else []:
            url, title = _source(source)
            if url and (url in self._cited or len(self._cited) < MOST_CITATIONS):
                self._cited[url] = self._cited.get(url) or title
            elif not url and source:
                self._keep_annotation(source)

    def _keep_annotation(self, source: Any) -> None:
        mark = repr(source)
        if mark not in self._annotations:  # some services send all of them every time
            self._annotations.add(mark)
            self.keep("citation without an address", source)

    def chunks(self) -> list[Chunk]:
        """Everything except images, which were passed on at once; each source once."""
        chunks: list[Chunk] = []
        if self._cited:
            chunks.append(Citations(tuple(Citation(url, title) for url, title in self._cited.items())))
        chunks += [Unshown("audio", sound) for sound in self._audio.values() if sound["data"]]
        if self._encrypted:
            chunks.append(Unshown("encrypted reasoning", self._encrypted))
        return chunks + self._unshown


def _source(source: Any) -> tuple[str, str]:
    """URL and title of a source, "" for a missing one."""
    if isinstance(source, str):
        return (mend(source), "") if "://" in source and len(source) <= LONGEST_URL else ("", "")
    if not isinstance(source, dict):
        return "", ""
    nested: dict[str, Any] = next(
        (source[name] for name in ("url_citation", "web", "source") if isinstance(source.get(name), dict)), {}
    )
    both = {**source, **nested}
    url = next((both[name] for name in ("url", "uri", "link") if isinstance(both.get(name), str)), "")
    title = both.get("title")
    title = " ".join(mend(title).split())[:LONGEST_TITLE] if isinstance(title, str) else ""
    return (mend(url) if len(url) <= LONGEST_URL else ""), title
