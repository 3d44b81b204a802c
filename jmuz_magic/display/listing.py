"""Lists as cells show them: text for terminals, HTML for front ends; every word in them is untrusted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from jmuz_magic.display.text import text_html
from jmuz_magic.text import clean_id, clean_line

__all__ = ["models_bundle"]


def models_bundle(
    title: str,
    models: Sequence[str],
    *,
    default: str = "",
    aliases: Mapping[str, str] | None = None,
    notes: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """A list of model ids with the default, aliases and other notes, as `text/html` and `text/plain`."""
    names: dict[str, list[str]] = {}
    for alias, target in (aliases or {}).items():
        names.setdefault(target, []).append(alias)
    further = notes or {}
    rows = [(clean_id(model), _note(model, default, names.get(model, []), further.get(model))) for model in models]
    count = f"{len(models)} model{'' if len(models) == 1 else 's'}"
    head = f"{clean_line(title)}: {count}"
    lines = [head, *(f"  {model}{f'  ({note})' if note else ''}" for model, note in rows)]
    items = "".join(
        f"<li><code>{text_html(model)}</code>{f' ({text_html(note)})' if note else ''}</li>" for model, note in rows
    )
    html = f'<div class="jmuz-list"><p>{text_html(head)}</p><ul>{items}</ul></div>'
    return {"text/html": html, "text/plain": "\n".join(lines)}


def _note(model: str, default: str, aliases: Sequence[str], further: str | None) -> str:
    notes = ["default"] if model == default else []
    if aliases:
        notes.append("alias " + ", ".join(clean_id(alias) for alias in sorted(aliases)))
    return "; ".join([*notes, *([further] if further else [])])
