"""What is shown of a reply besides its text: reasoning, tool calls, the footer, the output's metadata."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from jmuz_magic.display.html.styles import FOOT, REASONING, REPLY
from jmuz_magic.display.pictures import images_line
from jmuz_magic.display.sources import sources_html
from jmuz_magic.display.text import escape_html, text_html
from jmuz_magic.messages import MODEL_LIMIT, MOST_PAUSES, Reply, ToolCall, Usage
from jmuz_magic.text import clean_line, clean_text

__all__ = [
    "calls_html",
    "calls_text",
    "cut_line",
    "fact_lines",
    "facts",
    "foot_lines",
    "footer_html",
    "footer_lines",
    "framed_html",
    "reasoning_html",
    "reply_metadata",
    "reply_text",
    "tail_html",
    "unfinished_html",
    "waiting_html",
    "waiting_line",
    "with_cut",
]

_CUTS = {
    "length": "cut by length: --max-tokens N allows more",
    "truncated": "truncated: the stream ended without marking the reply as complete",
    "interrupted": "interrupted: the reply is incomplete",
    "pause_turn": f"paused: the service wants to be asked on, which a turn does {MOST_PAUSES} times at most",
    "content_filter": "filtered: the service's content filter stopped the reply",
}
_NO_MORE = "the model writes no more at once; ask it to go on"
_REFUSED = "refused: the model declined to answer"
_BROKE_OFF = "the reply broke off"  # for when the error itself is no longer known
_SECONDS_TO_ASK = 2
_MAX_ARGUMENTS = 2_001
_MAX_NAMES = 1_001  # of several
_MAX_NAME = 101  # with the sign that it was cut


def facts(reply: Reply) -> list[str]:
    """Who answered, the tokens as the endpoint counted them, the seconds, and the cost if the endpoint states it."""
    parts = [" via ".join(clean_line(name, _MAX_NAME) for name in (reply.model, reply.upstream) if name)]
    usage = reply.usage or Usage()
    if usage.completion_tokens is not None:
        parts.append(_tokens(usage))
    if reply.elapsed > 0:
        parts.append(f"{reply.elapsed:.1f} s")
    if usage.cost is not None:
        parts.append(f"cost {_amount(usage.cost)}")
    return list(filter(None, parts))


def foot_lines(
    reply: Reply,
    error: str | None = None,
    *,
    show_facts: bool = True,
    images_shown: bool = False,
    recorded: str | None = None,
) -> list[str]:
    """All that the foot of a reply says, the same wherever it is shown.

    Args:
        reply: complete or partial.
        error: see `footer_lines`.
        show_facts: whether it begins with `facts`.
        images_shown: see `footer_lines`.
        recorded: the day a replayed reply was recorded; None for one that was not replayed.
    """
    lines = [*(facts(reply) if show_facts else ()), *footer_lines(reply, error, images_shown=images_shown)]
    if recorded is None:
        return lines
    day = clean_line(recorded, _MAX_NAME)
    return [*lines, f"from the recording of {day}" if day else "from the recording"]


def footer_lines(reply: Reply, error: str | None = None, *, images_shown: bool = False) -> list[str]:
    """One line for each thing about the reply that its text does not say; usually none.

    Args:
        reply: complete or partial.
        error: why it broke off, in one line for the user.
        images_shown: whether its images are already visible.
    """
    kept = _kept_lines(reply, images_shown)
    return [*_advert_lines(reply), *_end_lines(reply, error), *kept, *_request_lines(reply)]


def fact_lines(reply: Reply) -> list[str]:
    """The lines that do not concern how the reply ended."""
    return [*_advert_lines(reply), *_kept_lines(reply, images_shown=False), *_request_lines(reply)]


def _advert_lines(reply: Reply) -> list[str]:
    count = len(reply.removed_adverts)
    return [f"{count} {'advert' if count == 1 else 'adverts'} removed"] if count else []


def _kept_lines(reply: Reply, images_shown: bool) -> list[str]:
    """What else came, and where it is kept."""
    lines = [] if images_shown or not reply.images else [images_line(reply.images)]
    counts = Counter(clean_line(part.kind, _MAX_NAME) for part in reply.unshown)
    if counts:
        kinds = ", ".join(kind if count == 1 else f"{count} × {kind}" for kind, count in counts.items())
        lines.append(f"not shown: {kinds} (in reply.unshown)")
    return lines


def _request_lines(reply: Reply) -> list[str]:
    """What was not sent, who answered if not the model asked for, and how many requests it took."""
    parts = [clean_line(part, _MAX_NAME) for part in reply.sent_in_part]
    lines = [f"{part} {'was' if part.startswith('1 of ') else 'were'} sent" for part in parts]
    if reply.left_out:
        lines.append(_left_out_line(reply.left_out))
    if _is_other_model(reply):
        lines.append(
            f"answered by {clean_line(reply.answered_by, _MAX_NAME)}, not {clean_line(reply.model, _MAX_NAME)}"
        )
    return [*lines, f"{reply.requests} requests"] if reply.requests > 1 else lines


def _is_other_model(reply: Reply) -> bool:
    """Whether certainly another model answered than the one asked for."""
    if reply.answered_by in ("", reply.model):
        return False
    from jmuz_magic.display.families import is_other_family  # its patterns take 1 ms

    return is_other_family(reply.model, reply.answered_by)


def _end_lines(reply: Reply, error: str | None) -> list[str]:
    lines = []
    reason = reply.finish_reason
    if _is_empty(reply) and error is None and reason not in ("interrupted", "refusal", "error"):
        lines.append(f"empty reply (finish_reason={clean_line(reason or 'none')})")
    if error is None and reason == "refusal":
        why = f" ({clean_line(reply.finish_said, _MAX_NAME)})" if reply.finish_said else ""
        lines.append(_REFUSED + why)
    cut = cut_line(reply, error)
    return [*lines, cut] if cut else lines


def _is_empty(reply: Reply) -> bool:
    answers = (part for part in reply.unshown if part.kind != "encrypted reasoning")
    return not (reply.text.strip() or reply.tool_calls or reply.images or any(answers))


def cut_line(reply: Reply, error: str | None = None) -> str:
    """Why the reply is incomplete, or why there is none; "" if it is complete."""
    begun = reply.text or reply.reasoning or reply.images
    if error is not None or reply.finish_reason == "error":
        return f"incomplete: {clean_line(error or _BROKE_OFF)}" if begun else clean_line(error or "no reply")
    if reply.finish_reason == "interrupted" and not begun:
        return "interrupted before the reply began"
    what, colon, why = _CUTS.get(reply.finish_reason or "", "").partition(":")
    said = f" ({clean_line(reply.finish_said, _MAX_NAME)})" if what and reply.finish_said else ""
    if reply.finish_said.startswith(MODEL_LIMIT):
        why = f" {_NO_MORE}"
    return f"{what}{said}{colon}{why}"


def _left_out_line(names: Sequence[str]) -> str:
    listed = " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
    return f"{clean_line(listed, _MAX_NAMES)} left out (the service refuses {'it' if len(names) == 1 else 'them'})"


def footer_html(lines: Sequence[str]) -> str:
    """The footer of a reply; "" without lines."""
    return f'<div class="jmuz-footer" style="{FOOT}">{text_html(" · ".join(lines))}</div>\n' if lines else ""


def framed_html(html: str) -> str:
    """Part of a reply, or all of it, with the rule on its left; "" for nothing."""
    return f'<div class="jmuz-reply" style="{REPLY}">{html}</div>\n' if html else ""


def unfinished_html(place: str) -> str:
    """What stands below a growing reply, and stays if the page is reloaded: no update reaches the new page."""
    return f"<small>incomplete; the whole reply will be in {text_html(place)}</small>\n"


def waiting_line(line: str, seconds: float, stop: str) -> str:
    """`line` with the seconds that have passed and how to stop, once there are enough of them to ask."""
    return f"{line} {int(seconds)} s ({stop})" if seconds >= _SECONDS_TO_ASK else line


def waiting_html(line: str) -> str:
    """The line shown where the reply will appear."""
    return f'<div class="jmuz-waiting" style="{FOOT}">{text_html(clean_line(line))}</div>\n'


def reasoning_html(html: str, opened: bool) -> str:
    """Rendered reasoning in a fold, open or closed."""
    attribute = " open" if opened else ""
    return (
        f"<details{attribute}><summary>Reasoning</summary>\n"
        f'<div class="jmuz-reasoning" style="{REASONING}">{html}</div></details>\n'
        if html
        else ""
    )


def calls_html(calls: Sequence[ToolCall]) -> str:
    """The functions that the model asks to have called, as a list; "" without any."""
    items = "".join(f"<li><code>{escape_html(_call(call))}</code></li>\n" for call in calls)
    title = "Tool call" if len(calls) == 1 else "Tool calls"
    return f'<div class="jmuz-calls"><p>{title}:</p>\n<ul>\n{items}</ul></div>\n' if calls else ""


def calls_text(calls: Sequence[ToolCall]) -> str:
    """The same for terminals and `text/plain`."""
    return "".join(f"tool call: {_call(call)}\n" for call in calls)


def _call(call: ToolCall) -> str:
    return f"{clean_line(call.name)}({clean_line(call.arguments, _MAX_ARGUMENTS)})"


def tail_html(reply: Reply, lines: Sequence[str]) -> str:
    """What follows the text: tool calls, sources, the footer."""
    return calls_html(reply.tool_calls) + sources_html(reply.citations) + footer_html(lines)


def reply_text(reply: Reply, error: str | None = None, *, images_shown: bool = False) -> str:
    """The source of a reply for a front end without HTML; without text, whatever else there is to say.

    What cut it short, if anything, is its last line; for the arguments see `footer_lines`.
    """
    lines = footer_lines(reply, error, images_shown=images_shown)
    said = clean_text(reply.text) or calls_text(reply.tool_calls).rstrip("\n")
    said = said or (f"[{images_line(reply.images)}]" if reply.images and not lines else "")
    return with_cut(said, cut_line(reply, error)) if said else "\n".join(lines)


def with_cut(text: str, cut: str) -> str:
    """The text of a reply, followed by what cut it short in brackets, as terminals show it."""
    if not (text and cut):
        return text
    return f"{text}[{cut}]" if text.endswith("\n") else f"{text}\n[{cut}]"


def reply_metadata(reply: Reply) -> dict[str, Any]:
    """Metadata of a reply's last output; nothing in it depends on time or on retries.

    Names from the service, or from a recording that somebody edited, are made inert: they are stored in notebooks,
    which people `cat`.
    """
    usage = None if reply.usage is None else reply.usage.as_dict()
    reason = reply.finish_reason and clean_line(reply.finish_reason)
    model, provider = clean_line(reply.model), clean_line(reply.provider)
    facts = {"model": model, "provider": provider, "finish_reason": reason, "usage": usage}
    names = ("answered_by", "system_fingerprint", "upstream")
    came = {name: clean_line(value) for name in names if (value := getattr(reply, name))}
    left_out = {"left_out": list(map(clean_line, reply.left_out))} if reply.left_out else {}
    return {"jmuz": {**facts, **came, **left_out}}


def _amount(cost: float) -> str:
    text = f"{cost:.4g}"
    return f"{cost:.12f}".rstrip("0").rstrip(".") if "e" in text else text


def _tokens(usage: Usage) -> str:
    prompt = "?" if usage.prompt_tokens is None else str(usage.prompt_tokens)
    cached = f" ({usage.cached_tokens} cached)" if usage.cached_tokens else ""
    reasoning = f" ({usage.reasoning_tokens} reasoning)" if usage.reasoning_tokens else ""
    return f"{prompt}{cached} + {usage.completion_tokens} tokens{reasoning}"
