"""What only a finished reply has: a button above each code block that copies it, and a style for that and for paper.

Without a widget and without a script only JupyterLab's command linker can act on a click: an attribute names a command
of the front end, here the one that copies the focused output. The style sheet makes all of that output but the button's
block unselectable while the button has the focus, and what is unselectable is not copied. It also is what shows the
button: inside a notebook and in a trusted output only. Elsewhere there is no style sheet, or another page around it,
and the button remains an empty element that is not displayed.
"""

from __future__ import annotations

from jmuz_magic.display.html.styles import SCROLL

__all__ = ["BUTTON", "STYLE", "finished"]

_BLOCK = '<div class="highlight">'

# The number in `tabindex` makes Safari focus it at a click.
BUTTON = (
    '<button type="button" class="jmuz-copy" style="display:none" tabindex="0" title="Copy this code"'
    ' data-commandlinker-command="notebook:copy-to-clipboard"></button>'
)

# Only an output of the cell itself: one copied into a view of its own, or inside an `Output` widget, is not what the
# command finds. Nothing moves when a reply is complete: the style stands below the text, because front ends give a
# first child less margin, and the button takes no room. Its label is content of the style, so that no word is left
# where there is none.
_COPIED = (
    ".jmuz-reply{position:relative}"
    ".jp-Notebook .jp-Cell-outputArea>.jp-OutputArea-child>.jp-mod-trusted>.jmuz-reply .jmuz-copy{"
    "display:block!important;position:absolute;right:0;padding:0 .5em;font-size:.8em;line-height:1.6;"
    "color:var(--jp-ui-font-color1);background:var(--jp-layout-color2);border:1px solid var(--jp-border-color1);"
    "transform:translateY(-60%)}"
    ".jmuz-label+.jmuz-copy{transform:translateY(-100%)}"
    '.jmuz-copy::after{content:"Copy"}'
    ".jmuz-reply:has(.jmuz-copy:focus) *{user-select:none}"
    ".jmuz-copy:focus+.highlight *{user-select:text}"
)

# Paper cannot scroll: the ends of long lines and of wide tables would be lost.
_PRINTED = (
    "@media print{.jmuz-reply div,.jmuz-reply code{overflow:visible!important}"
    ".jmuz-reply pre code{white-space:pre-wrap!important}"
    ".jmuz-reply code,.jmuz-reply td,.jmuz-reply th{overflow-wrap:anywhere}}"
)
STYLE = f"<style>{_COPIED}{_PRINTED}</style>"


def finished(html: str) -> tuple[str, bool]:
    """The HTML of finished blocks with a button before each code block, and whether it needs `STYLE` below it."""
    # Nothing but the renderer writes these: in text, `<` and `"` are escaped.
    return html.replace(_BLOCK, BUTTON + _BLOCK), _BLOCK in html or f'style="{SCROLL}"' in html
