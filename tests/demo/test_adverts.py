"""The reply of `demo-adverts` and the cleaner: the same clean text, however the network cuts it."""

from __future__ import annotations

import random

from jmuz_magic.demo.scripts import ADVERTS, ADVERTS_CLEAN, HEAD_ADVERT, INLINE_ADVERT, LINE_ADVERT
from jmuz_magic.streaming.adverts.cleaner import AdvertCleaner


def clean(pieces: list[str]) -> tuple[str, list[str]]:
    cleaner = AdvertCleaner()
    text = "".join(map(cleaner.feed, pieces)) + cleaner.flush()
    return text, cleaner.removed


def test_exactly_the_adverts_are_removed() -> None:
    text, removed = clean([ADVERTS])
    assert text == ADVERTS_CLEAN
    assert "".join("".join(removed).split()) == "".join((HEAD_ADVERT + INLINE_ADVERT + LINE_ADVERT).split())


def test_400_random_sets_of_cuts_give_the_same_text() -> None:
    random_places = random.Random(0)
    for _ in range(400):
        cuts = sorted(random_places.sample(range(1, len(ADVERTS)), random_places.randrange(1, 200)))
        pieces = [ADVERTS[start:end] for start, end in zip([0, *cuts], [*cuts, len(ADVERTS)], strict=True)]
        assert clean(pieces)[0] == ADVERTS_CLEAN
