"""Display messages through IPython's `publish_display_data`, which no other file of the package calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["Publish", "publish", "publish_widget"]

Publish = Callable[[dict[str, Any], dict[str, Any], dict[str, Any], bool], None]
"""`publish(data, metadata, transient, update)`: sends one display message."""


def publish(data: dict[str, Any], metadata: dict[str, Any], transient: dict[str, Any], update: bool) -> None:
    """Send one display message.

    Args:
        data: the content, by MIME type.
        metadata: the output's metadata.
        transient: `{"display_id": …}` for an output that will be updated; {} for others.
        update: whether to change the output with that id rather than add one.
    """
    from IPython.display import publish_display_data

    publish_display_data(data, metadata, transient=transient, update=update)  # type: ignore[no-untyped-call]  # so there


def publish_widget(model_id: str, plain: str) -> None:
    """Show the widget; `plain` is shown where widgets are not supported."""
    view = {"version_major": 2, "version_minor": 0, "model_id": model_id}
    publish({"application/vnd.jupyter.widget-view+json": view, "text/plain": plain}, {}, {}, False)
