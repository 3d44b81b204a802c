"""`--dry-run`: the request, shown instead of sent."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from jmuz_magic.content import described, texts_of
from jmuz_magic.display.request import request_bundle
from jmuz_magic.errors import JmuzError
from jmuz_magic.messages import Message, Messages
from jmuz_magic.providers.endpoint.headers import is_secret_header
from jmuz_magic.providers.fixed import with_fixed
from jmuz_magic.secret import Secret, redact
from jmuz_magic.text import clean_line, clean_text

if TYPE_CHECKING:
    from jmuz_magic.providers.endpoint.endpoint import Endpoint
    from jmuz_magic.request.request import Request

__all__ = ["describe_request"]

BYTES_PER_TOKEN = 4  # the average of tokenizers over English, Chinese and code, in UTF-8
SHOWN_DATA = 40  # characters shown of a data URL
_DATA = re.compile(  # of a file: as a data URL, or as Messages has it
    r'((?:data:[\w.+-]+/[\w.+-]+;base64,|"media_type": "[^"]*",\s+"data": ")'
    rf"[A-Za-z0-9+/]{{{SHOWN_DATA}}})[A-Za-z0-9+/=]{{{SHOWN_DATA},}}"
)


def describe_request(request: Request) -> dict[str, str]:
    """Address, headers, messages, JSON body, size and an estimate of tokens, for display; no secret is among them.

    The body is exact, except that the data of files are cut short, which a line mentions. Control characters are shown
    as JSON escapes, which leaves the JSON the same.

    Raises:
        JmuzError: no endpoint would be asked, or an option is not a JSON value.
    """
    from jmuz_magic.providers.fixed import fixed_names
    from jmuz_magic.providers.http.call import encode
    from jmuz_magic.providers.picking import how_to_choose, unchosen

    endpoint = request.endpoint
    if endpoint is None:
        raise JmuzError("nothing would be sent: only the recording answers (%jmuz_record --off ends that)")
    chosen, terms = request.chosen, request.terms()
    body, left_out = terms.body, terms.left_out
    messages = _messages(request, body)
    size = len(encode(body))
    shown, cut = _DATA.subn(r"\1…", json.dumps(body, ensure_ascii=False, indent=2))
    fixed = fixed_names(endpoint.provider)
    is_picked = body.get("model") == ""  # a user's class may send it under another name
    in_part = ", files abridged" if cut else ""
    return request_bundle(
        f"POST {endpoint.provider.request_url(endpoint.api_base, chosen.dialect, str(body.get('model', '')))}",
        _headers(request),
        [(str(message.get("role", "")), described(message)) for message in messages],
        _escaped(shown),
        [
            *([f"model: {unchosen(endpoint)}; choose one with {how_to_choose(endpoint)}"] if is_picked else []),
            *([f"dialect: {chosen.reason}"] if chosen.reason else []),
            *([f"fixed for this endpoint: {', '.join(fixed)}"] if fixed else []),
            *([f"left out because the service refused it before: {', '.join(left_out)}"] if left_out else []),
            *([f"included in part: {', '.join(request.sent_in_part)}"] if request.sent_in_part else []),
            f"nothing was sent; {size:,} bytes of JSON{in_part}; {_tokens(messages)}",
        ],
    )


def _headers(request: Request) -> list[str]:
    """A line for each header, with `***` for what looks secret; or why they cannot be sent."""
    endpoint = request.endpoint
    assert endpoint is not None
    found = getattr(endpoint.provider, "request_headers", None)  # a class of its own kind has none
    if found is None:
        return []
    try:
        headers = found(request.connection, endpoint, request.chosen.dialect.headers(endpoint))
    except JmuzError as error:
        return [str(error)]
    return [clean_line(f"{name}: {_masked(name, value, endpoint)}") for name, value in headers.items()]


def _masked(name: str, value: str | Secret, endpoint: Endpoint) -> str:
    if isinstance(value, Secret) or is_secret_header(name, value):
        return "***"
    for secret in filter(None, (endpoint.key, *endpoint.secrets)):
        value = redact(value, secret)
    return value


def _messages(request: Request, body: Mapping[str, Any]) -> Messages:
    """The messages as people read them: those of the body in the dialect of chat, else as they are translated."""
    assert request.endpoint is not None
    if request.chosen.dialect.name == "chat" and "messages" in body:
        messages: Messages = body["messages"]
        return messages
    return with_fixed(request.endpoint.provider, request.messages, {})[0]


def _tokens(messages: Sequence[Message]) -> str:
    texts = [text for message in messages for text in texts_of(message)]
    count = -(-sum(len(text.encode("utf-8", "replace")) for text in texts) // BYTES_PER_TOKEN)
    tokens = "token" if count == 1 else "tokens"
    return f"about {count:,} prompt {tokens} (an estimate: {BYTES_PER_TOKEN} bytes of text each, images not counted)"


def _escaped(text: str) -> str:
    r"""The same JSON, with escapes such as `\u202e` for characters that are not inert on a screen."""
    if clean_text(text) == text:
        return text
    return "".join(each if clean_text(each) == each else f"\\u{ord(each):04x}" for each in text)
