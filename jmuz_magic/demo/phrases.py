"""A few phrases in a few languages."""

from __future__ import annotations

import re
from collections.abc import Mapping

from jmuz_magic.demo.answer import Answer, question_of
from jmuz_magic.demo.request import ChatRequest

__all__ = ["translate"]

LANGUAGES = ("French", "German", "Italian", "Spanish")
PHRASES: Mapping[str, tuple[str, str, str, str]] = {
    "good morning": ("Bonjour", "Guten Morgen", "Buongiorno", "Buenos días"),
    "good night": ("Bonne nuit", "Gute Nacht", "Buonanotte", "Buenas noches"),
    "goodbye": ("Au revoir", "Auf Wiedersehen", "Arrivederci", "Adiós"),
    "hello": ("Bonjour", "Hallo", "Ciao", "Hola"),
    "how are you": ("Comment allez-vous ?", "Wie geht es Ihnen?", "Come sta?", "¿Cómo está usted?"),
    "please": ("S'il vous plaît", "Bitte", "Per favore", "Por favor"),
    "see you tomorrow": ("À demain", "Bis morgen", "A domani", "Hasta mañana"),
    "thank you": ("Merci", "Danke", "Grazie", "Gracias"),
    "where is the station": (
        "Où est la gare ?",
        "Wo ist der Bahnhof?",
        "Dov'è la stazione?",
        "¿Dónde está la estación?",
    ),
}
ASKED = re.compile(rf"\btranslate\b|\bin (?:{'|'.join(LANGUAGES)})\b", re.IGNORECASE)


def translate(request: ChatRequest) -> Answer | None:
    """One of the phrases, or which ones there are."""
    question = question_of(request.prompt).lower()
    if not ASKED.search(question):
        return None
    phrase = next((phrase for phrase in PHRASES if phrase in question), None)
    if phrase is None:
        known = ", ".join(f"*{each}*" for each in PHRASES)
        return Answer(f"The demo translates only a few phrases: {known}.\n", "It is a phrase without a translation.\n")
    wanted = [language for language in LANGUAGES if language.lower() in question]
    found = dict(zip(LANGUAGES, PHRASES[phrase], strict=True))
    if len(wanted) == 1:
        return Answer(f"*{phrase.capitalize()}* is **{found[wanted[0]]}** in {wanted[0]}.\n", "It is a known phrase.\n")
    rows = "\n".join(f"| {language} | {found[language]} |" for language in wanted or LANGUAGES)
    return Answer(f"| | {phrase} |\n|---|---|\n{rows}\n", "It is a known phrase.\n")
