"""The sources in a block: what the service's own tools found, and what a text cites from its beginning."""

from __future__ import annotations

from typing import Any

__all__ = ["sources_in"]


def sources_in(block: dict[str, Any]) -> list[Any]:
    """The sources of a block, in the shapes that `Extras.cite` takes; none for most blocks."""
    content = block.get("content")
    match block.get("type"):
        case "text":
            return block["citations"] if isinstance(block.get("citations"), list) else []
        case "web_search_tool_result" if isinstance(content, list):
            return [found for found in content if isinstance(found, dict) and found.get("url")]
        case "web_fetch_tool_result" if isinstance(content, dict) and content.get("url"):
            document = content.get("content")
            title = document.get("title") if isinstance(document, dict) else None
            return [{"url": content["url"], "title": title}]
    return []
