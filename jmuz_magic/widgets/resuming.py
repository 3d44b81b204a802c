"""Going on, in a panel, with a conversation of the log."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from jmuz_magic.conversation.resuming import check_may_resume, find_earlier, read_earlier, refuse_beside
from jmuz_magic.errors import JmuzError
from jmuz_magic.recordings.replaying import get_recording
from jmuz_magic.text import clean_line
from jmuz_magic.widgets.protocol import Answer, Resume

if TYPE_CHECKING:
    from jmuz_magic.conversation.conversation import Conversation

__all__ = ["find_offer", "resume"]


def find_offer(conversation: Conversation) -> str:
    """What an empty panel may go on with, such as `5 turns of 2026-11-27 18:04`; "" for nothing."""
    if conversation.transcript:
        return ""
    try:
        check_may_resume()
        return find_earlier(conversation.name).words
    except JmuzError:
        return ""


async def resume(conversation: Conversation, asked: Resume) -> Answer:
    """Fill the conversation from the log; if its turns would go to another origin, ask first.

    Raises:
        JmuzError: there is nothing to resume, or it must not be resumed.
    """
    refuse_beside(get_recording())
    logged = await asyncio.to_thread(find_earlier, conversation.name)
    earlier = await asyncio.to_thread(read_earlier, logged)
    endpoint = conversation.endpoint
    question = _sentence(earlier.question(endpoint)) if earlier.goes_elsewhere(endpoint) else ""
    if question != asked.agreed:
        return {"question": question}
    conversation.take_over(earlier)
    return {"note": _sentence(earlier.line(endpoint))}


def _sentence(line: str) -> str:
    return clean_line(line[:1].upper() + line[1:])
