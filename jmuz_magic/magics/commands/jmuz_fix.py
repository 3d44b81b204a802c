"""`%jmuz_fix`: the last failed cell and its error as a prompt."""

from __future__ import annotations

from dataclasses import dataclass

from IPython.core.error import UsageError

from jmuz_magic.magics.commands.jmuz import AskOptions, ask, secrets_of, whom
from jmuz_magic.magics.line.magic import magic
from jmuz_magic.magics.line.options import Options, option
from jmuz_magic.magics.line.values import model_name, provider_name
from jmuz_magic.magics.session import Session
from jmuz_magic.messages import Reply

__all__ = ["FixOptions", "jmuz_fix"]


@dataclass(frozen=True, eq=False, repr=False)
class FixOptions(Options):
    """The options of `%jmuz_fix`."""

    model: str | None = option(
        "-m, --model MODEL", "id or alias; default: the selected one (%jmuz_use)", read=model_name, completes="model"
    )
    provider: str | None = option(
        "-p, --provider PROVIDER",
        "a known endpoint, such as openai or ollama",
        read=provider_name,
        completes="provider",
    )
    next: bool = option("--next", "put the corrected code into a new cell below; it is not run")
    dry_run: bool = option("--dry-run", "show the request instead of sending it")
    assigned: bool = option("--assigned")  # as for `%jmuz`


@magic(FixOptions, takes_prompt=True)
def jmuz_fix(session: Session, target: str | None, given: FixOptions, hint: str) -> Reply | None:
    """Ask about the last cell that failed: it is sent with its error, keys and the home directory masked.

    What follows the options is a hint for the model.
    """
    from jmuz_magic.magics.prompt.context import build_fix

    failed = session.cells.failed
    if failed is None:
        raise UsageError("%jmuz_fix: no cell has failed since the extension was loaded")
    options = AskOptions(
        model=given.model,
        provider=given.provider,
        code="" if given.next else None,
        next=given.next,
        dry_run=given.dry_run,
        assigned=given.assigned,
    )
    endpoint, model = whom(session, options)
    prompt = build_fix(failed, hint, secrets=secrets_of(endpoint))
    reply = ask(session, options, endpoint, model, {"role": "user", "content": prompt}, target=target)
    return reply if isinstance(reply, Reply) else None
