"""Which addresses a reply may link to, and which links must show where they lead."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from urllib.parse import urlsplit

__all__ = ["bare_urls", "host_of", "safe_href", "shown_target"]

# Printable ASCII without what could end an attribute or be read as another character: before an address gets here,
# markdown-it has decoded entities and percent-encoded everything else.
_PRINTABLE = re.compile(r"[!#$%&'()*+,\-./0-9:;=?@A-Z\[\]_a-z~{|}^]+", re.ASCII)
_HOST = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?|[0-9a-f:.]*:[0-9a-f:.]*", re.ASCII)
_MAIL = re.compile(r"mailto:[^:/?#]+@[^:/?#@]+(?:\?[^#]*)?", re.IGNORECASE | re.ASCII)
_CLAIMED_HOST = re.compile(r"(?:\w[\w-]*[.。])+[^\W\d_][\w-]+|\d+(?:\.\d+){3}|\blocalhost\b")
_MAX_LABEL = 2_000

# What can end an attribute, quotation marks and markup do not belong to a bare address; nor does anything beyond
# ASCII, which belongs to the sentence, or to the next word in a language without spaces.
_BARE = re.compile(r"https?://[!#%&()*+,\-./0-9:;=?@A-Z\[\]_a-z~{|}^]+", re.ASCII | re.IGNORECASE)
_SENTENCE = ".,;:!?*_~"
_BRACKETS = {")": "(", "]": "[", "}": "{"}


def bare_urls(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each address that is written without markup.

    Punctuation at its end belongs to the sentence, as does a closing bracket that was not opened in the address.
    """
    for match in _BARE.finditer(text):
        end = match.start() + len(_without_sentence(match.group()))
        # Nobody can tell whether the letters of https://a.example/中文 belong to the address, so it is not linked.
        goes_on = text[end : end + 1].isalpha() and not text[end - 1].isalnum()
        if end - match.start() > len("https://") and not goes_on:
            yield match.start(), end


def _without_sentence(url: str) -> str:
    surplus = {closing: url.count(closing) - url.count(opening) for closing, opening in _BRACKETS.items()}
    end = len(url)
    while end and (url[end - 1] in _SENTENCE or surplus.get(url[end - 1], 0) > 0):
        surplus[url[end - 1]] = surplus.get(url[end - 1], 0) - 1
        end -= 1
    return url[:end]


def host_of(href: str) -> str | None:
    """The host that a browser would connect to, in lower-case ASCII; None without a plain one."""
    try:
        parts = urlsplit(href)
        _ = parts.port  # raises on an invalid port
    except ValueError:
        return None
    host = parts.hostname or ""
    return host if _HOST.fullmatch(host) else None


def safe_href(href: str) -> str | None:
    """`href` if a reply may link to it, else None.

    Only absolute http, https and mailto addresses pass: a relative one would lead into the front end's server, and
    `java&Tab;script:` arrives here as a relative one.
    """
    if not _PRINTABLE.fullmatch(href):
        return None
    if href[:7].lower() == "mailto:":
        return href if _MAIL.fullmatch(href) else None
    if not re.match(r"https?://", href, re.IGNORECASE):
        return None
    return href if host_of(href) else None


def _ascii_host(host: str) -> str:
    host = unicodedata.normalize("NFKC", host).replace("。", ".").lower()
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError:
        return host


def _same_site(claimed: str, host: str) -> bool:
    return claimed == host or host.endswith("." + claimed)


def shown_target(label: str, href: str, *, opaque: bool = False) -> str:
    """What must be written after a link so that its label cannot lie; "" if nothing is needed.

    The host is written if the label reads like another address, if it is an international name (as punycode, which
    exposes look-alike letters), or if a user name precedes it.

    Args:
        label: the link's text as it will be read.
        href: an address that `safe_href` let pass.
        opaque: whether the label may read differently from its text, as a formula does; then the target is always
            written.
    """
    opaque = opaque or len(label) > _MAX_LABEL
    # Zero-width characters would break up a name here that reads as one to people.
    label = "".join(c for c in unicodedata.normalize("NFKC", label[:_MAX_LABEL]) if unicodedata.category(c) != "Cf")
    claimed = _CLAIMED_HOST.findall(label)
    if href[:7].lower() == "mailto:":
        address = href[7:].partition("?")[0]
        return address if opaque or (("@" in label or claimed) and address.lower() not in label.lower()) else ""
    host = host_of(href) or ""
    if opaque or "@" in urlsplit(href).netloc or "xn--" in host:
        return host
    return "" if all(_same_site(_ascii_host(name), host) for name in claimed) else host
