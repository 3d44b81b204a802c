"""Masks what the author of a notebook would not have sent: keys, and the user name in the home directory."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

from jmuz_magic.secret import Secret

__all__ = ["MASK", "mask"]

MASK = "***"
SHORTEST_VALUE = 8  # a shorter value of a KEY or TOKEN variable may be an ordinary word

# Keys that can be recognised by their beginning.
_KNOWN = re.compile(
    r"""\b(?:
        (?:sk|pk|rk)[-_][A-Za-z0-9_-]{12,}                   # OpenAI, Anthropic, OpenRouter, Stripe
      | (?:gh[oprsu]|github_pat|glpat|gsk|hf|npm|pplx|r8|xai|xox[abeoprs])[-_][A-Za-z0-9_-]{10,}
      | AIza[A-Za-z0-9_-]{20,}                               # Google
      | dapi[0-9a-f]{32}                                     # Databricks
      | ABSK[A-Za-z0-9+/=]{20,}                              # Bedrock
      | (?:AKIA|ASIA)[A-Z0-9]{12,}                           # Amazon
      | pypi-[A-Za-z0-9_-]{16,}
      | eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?    # a JSON web token
    )""",
    re.VERBOSE,
)
# `hf_hub_download`, `npm-run-all`: names that begin like keys.
_WORDS = re.compile(r"[a-z]+(?:[-_][a-z]{1,12}){2,}")
_PRIVATE_KEY = re.compile(r"(-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----)[^-]*(?=-----END|\Z)")
# Not `basic statistics`.
_HEADER = re.compile(r"(?i)\b((?:bearer|basic)\s+)(?=[A-Za-z+/._~-]*[\d=]|\S{24})[A-Za-z0-9+/=._~-]{8,}")
# User and password in an address: each may contain an @, and the user may be empty.
_IN_ADDRESS = re.compile(r"(?<=://)[^\s/:'\"]{0,200}:[^\s/'\"]{1,200}(?=@)")
# `curl -u user:password`, in a shell or as a list of arguments.
_CURL = re.compile(r"\bcurl\b(?!\s*[=.(\[])(?:\\\n|[^\n])*")
_CURL_USER = re.compile(
    r"""(?x)
    (?P<name>(?<![\w-])(?:(?:-[A-Za-z]{0,8}[uU]|--(?:proxy-)?user)["']?[=,\s\\]{1,20}|-[uU]))
    (?: (?P<quote>["'])(?:(?!(?P=quote))[^\n:]){0,200}:(?:(?!(?P=quote))[^\n])+(?P=quote)
      | [^\s:=,"']{0,200}:[^\s"']+ )"""
)
# The value of a name that ends in such a word: `api_key = "…"`, `os.environ["X_TOKEN"] = '…'`, `{"password": "…"}`.
# AWS calls one of its keys AWS_BEARER_TOKEN_BEDROCK.
_NAMES = (
    r"(?:(?:api|access|auth|private|secret|account)[_-]?key|_key|secret|token(?:_bedrock)?"
    r"|passw(?:or)?d|passphrase|pwd)"
)
_NAMED = re.compile(
    rf"""(?ix)
    (?P<name>{_NAMES}
        (?: \s{{0,20}}[:=] | ["']\s?\]?\s{{0,20}}[:=,] | :\s?[\w.]{{1,30}}\s?= )\s{{0,20}}[bfru]{{0,2}})
    (?P<quote>["'])(?P<value>[^"'\n]{{4,}})(?P=quote)"""
)
# Names that hold nothing but secrets, such as names in capitals; and values that are words.
_SURE = re.compile(
    r"(?i)(?:api|access|auth|private|secret|account|encryption|signing)[_-]?(?:key|token)|secret|passw|pwd|phrase"
)
_PLAIN = re.compile(r"[A-Za-z_.,:;<>|/\[\]() -]{1,24}")
# The same in triple quotes, except `the token:"""`, where a docstring ends.
_NAMED_LONG = re.compile(
    rf"""(?isx)
    (?P<name>{_NAMES}
        (?: \s{{0,20}}= | ["']\s?\]?\s{{0,20}}[:=,] | :\s?[\w.]{{1,30}}\s?= )\s{{0,20}}[bfru]{{0,2}})
    (?P<quote>\"{{3}}|'{{3}})(?!.{{0,3}}(?P=quote)).+?(?P=quote)"""
)
# The same in shells, `%env` and .env files, where the value is unquoted: too long to be a word or number.
_UNQUOTED = re.compile(
    r"(?i)(?P<name>(?:key|secret|token(?:_bedrock)?|passw(?:or)?d|passphrase|pwd)[ \t]{0,3}[=: \t][ \t]{0,3})"
    r"(?P<value>[A-Za-z0-9+/=_.-]{12,})"
)
_LONG_WORD = re.compile(r"(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{32,}(?![A-Za-z0-9_-])")
_SECRET_VARIABLE = re.compile(
    r"(?i)(?:^|_)(?:key|token(?:_bedrock)?|secret|passw(?:or)?d|passphrase|credentials?)$|api_?key"
)


def mask(text: str, secrets: Iterable[Secret] = ()) -> str:
    """`text` with `***` for keys and `~` for the home directory.

    Masked are: `secrets`; the values of environment variables with telling names (`…_KEY`, `…_TOKEN`, `…_PASSWORD`);
    what begins like a known service's key; what follows `Bearer` or is assigned to such a name; user and password in
    an address and after curl's `-u`; and long words full of digits. That catches accidents, not everything: a password
    in plain words under another name stays.
    """
    given = {value for secret in secrets if len(value := secret.reveal()) >= SHORTEST_VALUE}
    for value in sorted(given | _environment(), key=len, reverse=True):
        text = text.replace(value, MASK)
    text = _PRIVATE_KEY.sub(rf"\1{MASK}", text)
    text = _IN_ADDRESS.sub(MASK, text)
    text = _HEADER.sub(rf"\1{MASK}", text)
    text = _KNOWN.sub(lambda found: found[0] if _WORDS.fullmatch(found[0]) else MASK, text)
    text = _CURL.sub(lambda line: _CURL_USER.sub(rf"\g<name>\g<quote>{MASK}\g<quote>", line[0]), text)
    text = _NAMED_LONG.sub(rf"\g<name>\g<quote>{MASK}\g<quote>", text)
    text = _NAMED.sub(_unless_plain, text)
    text = _UNQUOTED.sub(_if_random, text)
    text = _LONG_WORD.sub(_if_random, text)
    return _without_home(text)


def _environment() -> set[str]:
    named = (value for name, value in os.environ.items() if _SECRET_VARIABLE.search(name))
    return {value for value in named if len(value) >= SHORTEST_VALUE}


def _unless_plain(match: re.Match[str]) -> str:
    """Mask a quoted value, but keep `sort_key = "timestamp"` and `pad_token = "[PAD]"`."""
    name = match["name"]
    if not _SURE.search(name) and name == name.lower() and _PLAIN.fullmatch(match["value"]):
        return match[0]
    return f"{name}{match['quote']}{MASK}{match['quote']}"


def _if_random(match: re.Match[str]) -> str:
    """Mask what has letters and several digits, but keep names and numbers."""
    groups = match.groupdict()
    value = groups.get("value", match[0])
    digits = sum(character.isdigit() for character in value)
    random = digits >= 4 and any(character.isalpha() for character in value)
    return f"{groups.get('name', '')}{MASK}" if random else match[0]


def _without_home(text: str) -> str:
    r"""`~/data` for `/home/ann/data`, and for `C:\\Users\\ann\\data` as a repr writes it."""
    home = os.path.expanduser("~")  # noqa: PTH111  # unlike Path.home, it never raises
    for spelling in {home, os.path.realpath(home), home.replace("\\", "\\\\")}:
        if len(spelling) > 1 and spelling != "~":
            text = re.sub(re.escape(spelling) + r"(?![\w-])", "~", text)
    return text
