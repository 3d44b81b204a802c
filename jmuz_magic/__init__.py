"""A chat model in the notebook: `%load_ext jmuz_magic`, then `%%jmuz`. See README.md."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from jmuz_magic.conversation.conversation import Conversation
    from jmuz_magic.errors import (
        JmuzError,
        MissingAuthError,
        ModelNotFoundError,
        ProviderConnectionError,
        ProviderTimeoutError,
        RateLimitError,
        ResponseError,
        ResponseStatusError,
        StreamError,
    )
    from jmuz_magic.log.log import exchange_log
    from jmuz_magic.messages import (
        Answered,
        Chunk,
        Citations,
        FinishReason,
        Image,
        Reasoning,
        ReasoningItems,
        Reply,
        ToolCalls,
        ToolResult,
        Unshown,
        Usage,
    )
    from jmuz_magic.providers.jmuz import Jmuz
    from jmuz_magic.providers.openai_template import OpenaiTemplate
    from jmuz_magic.widgets.panel import ChatPanel
    from jmuz_magic.widgets.selector import ModelSelector

__all__ = [
    "Answered",
    "ChatPanel",
    "Chunk",
    "Citations",
    "Conversation",
    "FinishReason",
    "Image",
    "Jmuz",
    "JmuzError",
    "MissingAuthError",
    "ModelNotFoundError",
    "ModelSelector",
    "OpenaiTemplate",
    "ProviderConnectionError",
    "ProviderTimeoutError",
    "RateLimitError",
    "Reasoning",
    "ReasoningItems",
    "Reply",
    "ResponseError",
    "ResponseStatusError",
    "StreamError",
    "ToolCalls",
    "ToolResult",
    "Unshown",
    "Usage",
    "exchange_log",
]

__version__ = "0.1.0"

_HOMES = {
    "ChatPanel": "widgets.panel",
    "Conversation": "conversation.conversation",
    "Jmuz": "providers.jmuz",
    "ModelSelector": "widgets.selector",
    "OpenaiTemplate": "providers.openai_template",
    "exchange_log": "log.log",
}


def __getattr__(name: str) -> Any:
    # Lazy (PEP 562): importing aiohttp costs about 200 ms and anywidget 105 ms, and most uses need only one of them.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = _HOMES.get(name, "errors" if name.endswith("Error") else "messages")
    module = importlib.import_module(f"{__name__}.{home}")
    globals()[name] = value = getattr(module, name)
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])


def load_ipython_extension(shell: InteractiveShell) -> None:
    """`%load_ext jmuz_magic`: see `jmuz_magic.magics`."""
    from jmuz_magic.magics.extension import load

    load(shell)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """`%unload_ext jmuz_magic`: remove exactly what loading added."""
    from jmuz_magic.magics.extension import unload

    unload(shell)
