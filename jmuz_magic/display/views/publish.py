"""Display messages through IPython; nothing else in the package sends any."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["Publish", "publish", "publish_widget"]

Publish = Callable[[dict[str, Any], dict[str, Any], dict[str, Any], bool], None]
"""`publish(data, metadata, transient, update)`: sends one display message."""


def publish(data: dict[str, Any], metadata: dict[str, Any], transient: dict[str, Any], update: bool) -> None:
    """Send one display message.

    Args:
        data: by MIME type.
        metadata: of the output.
        transient: `{"display_id": …}` for an output that is updated later; {} for others.
        update: whether the output with that id changes; else there is a new one.
    """
    from IPython.display import publish_display_data

    publish_display_data(data, metadata, transient=transient, update=update)  # type: ignore[no-untyped-call]  # so there


def publish_widget(model_id: str, plain: str) -> None:
    """Show the widget; `plain` is the output where there are no widgets."""
    view = {"version_major": 2, "version_minor": 0, "model_id": model_id}
    publish({"application/vnd.jupyter.widget-view+json": view, "text/plain": plain}, {}, {}, False)
