"""A conversation as a file for other programs: Markdown, a notebook, or JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from jmuz_magic.content import described
from jmuz_magic.conversation.history import noted
from jmuz_magic.errors import JmuzError
from jmuz_magic.messages import Reply
from jmuz_magic.request.facts import facts_of
from jmuz_magic.storage.replacing import created
from jmuz_magic.text import clean_line, clean_text, inert_json, storable

if TYPE_CHECKING:
    from jmuz_magic.conversation.conversation import Conversation
    from jmuz_magic.conversation.turn import Turn

__all__ = ["Format", "ReplyBundle", "exported", "write_export"]

Format: TypeAlias = Literal["md", "ipynb", "json"]
ReplyBundle: TypeAlias = Callable[[Reply], dict[str, str]]
"""How a reply looks in a notebook: `reply_bundle` of the display floor, which this floor must not import."""


def exported(conversation: Conversation, kind: Format, bundle: ReplyBundle | None = None) -> str:
    """The conversation as the text of a file that is safe for `cat`: control characters are visible or escaped.

    Args:
        conversation: all its turns are exported, even those not sent with later prompts.
        kind: `md`, `ipynb` or `json`.
        bundle: for `ipynb`; None stores the replies as plain text.
    """
    if kind == "md":
        return clean_text(_markdown(conversation))
    content = _notebook(conversation, bundle or _plain) if kind == "ipynb" else _json(conversation)
    return inert_json(storable(json.dumps(content, indent=1, ensure_ascii=False))) + "\n"


def write_export(conversation: Conversation, path: str | Path, bundle: ReplyBundle | None = None) -> Path:
    """Write the conversation to a new file in the format of its extension.

    Raises:
        JmuzError: the extension is not `.md`, `.ipynb` or `.json`, the file exists, or it cannot be written.
    """
    path = Path(path).expanduser()
    kinds: dict[str, Format] = {".md": "md", ".ipynb": "ipynb", ".json": "json"}
    kind = kinds.get(path.suffix.lower())
    if kind is None:
        raise JmuzError(f"expected a file name that ends in .md, .ipynb or .json, got {path.name!r}")
    try:
        with created(path, 0o666) as file:
            file.write(exported(conversation, kind, bundle).encode())
    except FileExistsError:
        raise JmuzError(f"{path} already exists; give another name, or remove it first") from None
    except OSError as error:
        raise JmuzError(f"cannot write {path}: {error.strerror}") from None
    return path


def _title(conversation: Conversation) -> str:
    return conversation.name or "conversation"


def _markdown(conversation: Conversation) -> str:
    parts = [f"# {_title(conversation)}"]
    if conversation.system:
        parts.append(f"## System\n\n{conversation.system}")
    for turn, note in noted(conversation.transcript):
        parts.append(f"## Prompt\n\n{described(turn.prompt)}")
        parts.append(f"## Reply ({_facts(turn)})")
        parts += [text for text in (turn.reply.text, _emphasised(note, turn)) if text]
        parts += _sources(turn.reply)
    return "\n\n".join(parts) + "\n"


def _sources(reply: Reply) -> list[str]:
    """The sources as a list of links; what is not a web address becomes code."""
    lines = []
    for number, source in enumerate(reply.citations, 1):
        url, title = map(clean_line, (source.url, source.title))
        address = f"<{url}>" if re.fullmatch(r"https?://[^<>\s]+", url) else f"`{url.replace('`', '')}`"
        lines.append(f"{number}. {f'{title}: ' if title else ''}{address}")
    return ["Sources:\n\n" + "\n".join(lines)] if lines else []


def _facts(turn: Turn) -> str:
    model = turn.reply.model or "unknown model"
    return model if turn.state == "complete" else f"{model}, {turn.state}"


def _emphasised(note: str, turn: Turn) -> str:
    return "" if not note else f"*({note}: {turn.error})*" if turn.error else f"*({note})*"


def _json(conversation: Conversation) -> dict[str, Any]:
    turns = [_turn_json(turn, note) for turn, note in noted(conversation.transcript)]
    return {"name": conversation.name, "system": conversation.system, "turns": turns}


def _turn_json(turn: Turn, note: str) -> dict[str, Any]:
    reply = turn.reply
    further = {
        "tool_calls": [asdict(call) for call in reply.tool_calls],
        "error": str(turn.error) if turn.error else None,
        "note": note,
    }
    return {
        "prompt": turn.prompt,
        "reply": reply.text,
        "reasoning": reply.reasoning,
        "state": turn.state,
        "model": reply.model,
        "provider": reply.provider,
        "finish_reason": reply.finish_reason,
        "usage": reply.usage.as_dict() if reply.usage else None,
        "removed_adverts": list(reply.removed_adverts),
        **{name: value for name, value in facts_of(reply).items() if name not in ("usage", "tool_calls")},
        **{name: value for name, value in further.items() if value},
    }


def _notebook(conversation: Conversation, bundle: ReplyBundle) -> dict[str, Any]:
    # Replies become outputs of cells, never Markdown cells: a front end would run the HTML in those.
    name = f"={conversation.name}" if conversation.name and conversation.name.isidentifier() else ""
    cells = [_cell("%load_ext jmuz_magic", None, 0)]
    # A turn set aside is already asked by another cell.
    for number, turn in enumerate((turn for turn in conversation.transcript if not turn.is_set_aside), 1):
        cells.append(_cell(f"%%jmuz --chat{name} --raw\n{described(turn.prompt)}", bundle(turn.reply), number))
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}


def _cell(source: str, data: dict[str, str] | None, number: int) -> dict[str, Any]:
    output = {"data": data, "metadata": {}, "output_type": "display_data"}
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": f"turn-{number}",
        "metadata": {},
        "outputs": [output] if data else [],
        "source": source,
    }


def _plain(reply: Reply) -> dict[str, str]:
    return {"text/plain": clean_text(reply.text)}
