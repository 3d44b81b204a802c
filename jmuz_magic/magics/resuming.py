"""Goes on with a conversation of the log, and asks first if somebody else would read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from IPython.core.error import StdinNotImplementedError

from jmuz_magic.errors import JmuzError
from jmuz_magic.magics.running.foreground import ReplyInterrupted
from jmuz_magic.text import clean_line

if TYPE_CHECKING:
    from jmuz_magic.conversation.conversation import Conversation
    from jmuz_magic.magics.session import Session
    from jmuz_magic.providers.endpoint.endpoint import Endpoint

__all__ = ["confirm", "rehearse", "resume"]


def resume(
    session: Session, conversation: Conversation, wanted: str | None, endpoint: Endpoint | None, *, yes: bool
) -> None:
    """Fill a conversation with the turns of one of the log, and say what they are and who will read them.

    One that has turns in this kernel is left as it is, so that a cell may run again.

    Args:
        session: the notebook's session.
        conversation: the conversation.
        wanted: the name or id of the one in the log.
        endpoint: the endpoint of the next turn; None for that of the conversation.
        yes: whether the turns may go to another origin without a question.

    Raises:
        JmuzError: there is nothing to resume, it must not be resumed, or the user does not want it.
    """
    from jmuz_magic.conversation.resuming import check_may_resume, find_earlier, read_earlier

    check_may_resume()
    if conversation.transcript:
        if not any(turn.earlier for turn in conversation.transcript):
            session.say("nothing was resumed: this kernel has turns of the conversation already")
        return
    earlier = read_earlier(find_earlier(wanted))
    endpoint = endpoint or conversation.endpoint
    if earlier.goes_elsewhere(endpoint) and not yes:
        confirm(earlier.question(endpoint), "nothing was resumed")
    conversation.take_over(earlier)
    session.say(earlier.line(endpoint))


def rehearse(copy: Conversation, wanted: str | None) -> None:
    """Fill the copy of a conversation that sends nothing, unless it has turns.

    Raises:
        JmuzError: there is nothing to resume, or it must not be resumed.
    """
    from jmuz_magic.conversation.resuming import check_may_resume, find_earlier, read_earlier

    check_may_resume()
    if not copy.transcript:
        copy.take_over(read_earlier(find_earlier(wanted)))


def confirm(question: str, otherwise: str) -> None:
    """Ask the user, who has to type y.

    Args:
        question: what to ask.
        otherwise: what holds if the answer is not yes.

    Raises:
        JmuzError: it is not, or the front end cannot ask; this says which option answers.
        ReplyInterrupted: the user interrupted.
    """
    try:
        answer = input(f"{clean_line(question)} [y/N] ")
    except (StdinNotImplementedError, EOFError):
        raise JmuzError(f"{question} This front end cannot ask, so {otherwise}; --yes answers yes") from None
    except KeyboardInterrupt:
        raise ReplyInterrupted(otherwise) from None
    if answer.strip().lower() not in ("y", "yes"):
        raise JmuzError(otherwise)
