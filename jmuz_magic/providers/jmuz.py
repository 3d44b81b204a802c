"""The package's namesake: a free third-party endpoint that mixes adverts into its replies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from jmuz_magic.providers.endpoint.address import normalise_api_base, origin_of
from jmuz_magic.providers.openai_template import OpenaiTemplate
from jmuz_magic.streaming.adverts.rules import JMUZ_ADVERTS, AdvertRule

__all__ = ["Jmuz"]


class Jmuz(OpenaiTemplate):
    """`https://jmuz.me`, or whatever `JMUZ_API_BASE` names, with the adverts removed.

    The argument `api_key` is accepted but not forwarded. Only the class's own key, which is public, is ever sent to
    jmuz.me; `JMUZ_API_KEY` belongs to the origin of `JMUZ_API_BASE`.
    """

    spoken_name = "jmuz"  # even before the catalog is imported
    url = "https://discord.gg/Ew6JzjA2NR"
    api_base: ClassVar[str] = "https://jmuz.me/gpt/api/v2"
    api_key: ClassVar[str | None] = "prod"
    api_base_env = ("JMUZ_API_BASE",)
    api_key_env = ("JMUZ_API_KEY",)
    takes_api_key = False
    working = True
    supports_system_message = False
    adverts: ClassVar[Sequence[AdvertRule] | None] = JMUZ_ADVERTS
    third_party_notice = (
        "prompts go to jmuz.me, a free third party that can read them and alters its replies; send nothing private"
    )

    default_model = "gpt-4o"
    model_aliases: ClassVar[dict[str, str]] = {
        "qwq-32b": "qwq-32b-preview",
        "gemini-1.5-flash": "gemini-flash",
        "gemini-1.5-pro": "gemini-pro",
        "gemini-2.0-flash-thinking": "gemini-thinking",
        "deepseek-chat": "deepseek-v3",
    }

    @classmethod
    def key_origin(cls) -> str | None:
        """The origin of `JMUZ_API_BASE`; None if that is the class's own, which gets only the public key."""
        address = cls.environment_api_base()
        origin = origin_of(normalise_api_base(address)) if address else None
        return origin if origin != cls.own_origin() else None
