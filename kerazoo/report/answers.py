"""A claim's verdict in one sentence: the study's own, or else one that the rule makes of the numbers."""

from __future__ import annotations

from collections.abc import Callable

from kerazoo.ledger.values import text_of
from kerazoo.report import wording
from kerazoo.report.languages import Language, known, quantity, say
from kerazoo.schema import Claim, Verdict


def answer(claim: Claim, language: Language = "en") -> str:
    """Return the verdict's reason in one sentence."""
    given = claim.answer if language == "en" else claim.zh.get("answer", "")
    if given:
        return given
    if claim.verdict is Verdict.NOT_MEASURED:
        return claim.note if language == "en" else say("Not measured.", language)
    return _SENTENCES[claim.rule](claim, language)


def is_program(claim: Claim) -> bool:
    """Tell whether what would be right is a program, named by its file."""
    return claim.correct.endswith(".py")


def _equivalence(claim: Claim, language: Language) -> str:
    forms = {
        Verdict.REPRODUCED: "Measured {measured}, printed {documented}: no more than {tolerance} apart.",
        Verdict.NOT_REPRODUCED: "Measured {measured}, printed {documented}: more than {tolerance} apart.",
    }
    if claim.verdict in forms:
        return say(
            forms[claim.verdict],
            language,
            measured=wording.measured(claim, language),
            documented=wording.documented(claim, language),
            tolerance=_tolerance(claim, language),
        )
    found, printed = wording.value(claim, language), wording.documented(claim, language)
    told = say("Measured {measured}, printed {documented}; ", language, measured=found, documented=printed)
    return told + _undecided(claim, language)


def _effect(claim: Claim, language: Language) -> str:
    if claim.parts:
        told = _parts(claim, language)
        if claim.verdict is Verdict.UNDECIDED:
            told += (" " if language == "en" else "") + wording.capital(_undecided(claim, language))
        return told
    subject = {"metric": wording.capital(wording.metric(claim, language)), "tolerance": _tolerance(claim, language)}
    if claim.verdict is Verdict.UNDECIDED:
        told = say("{metric}: {measured}; ", language, measured=wording.value(claim, language), **subject)
        return told + _undecided(claim, language)
    forms = {
        Verdict.HOLDS: "{metric}: {measured}; it had to lie above {tolerance}, and does.",
        Verdict.NOT_REPRODUCED: "{metric}: {measured}; it had to lie above {tolerance}, and does not.",
    }
    return say(forms[claim.verdict], language, measured=wording.measured(claim, language), **subject)


def _parts(claim: Claim, language: Language) -> str:
    """Return the verdicts on a claim's parts, each with the names of those that have it."""
    comma, semicolon, form = (", ", "; ", "{}: {}.") if language == "en" else ("、", "；", "{1}：{0}。")
    if set(claim.parts.values()) == {claim.verdict}:
        listed = comma.join(known(name, language) for name in claim.parts)
        return say("In all parts: {listed}.", language, listed=listed)
    told = []
    for verdict in dict.fromkeys(claim.parts.values()):
        names = [known(name, language) for name, one in claim.parts.items() if one is verdict]
        told.append(form.format(wording.words(verdict, language), comma.join(names))[:-1])
    return wording.capital(semicolon.join(told)) + form[-1]


def _undecided(claim: Claim, language: Language) -> str:
    """Return that the seeds do not decide, and how many would."""
    if claim.n == 1:
        return say("one seed cannot decide.", language)
    form = "{n} seeds cannot decide, about {more} would." if claim.decides else "{n} seeds cannot decide."
    return say(form, language, n=claim.n, more=claim.decides)


def _true(claim: Claim, language: Language) -> str:
    if claim.parts and claim.verdict is not Verdict.UNDECIDED:
        return _parts(claim, language)
    right = claim.verdict in (Verdict.HOLDS, Verdict.REPRODUCED)
    forms = {
        "formula": ("The formula is right.", "The formula is wrong as printed."),
        "arithmetic": ("The calculation is right.", "The calculation is wrong."),
    }
    return say(forms.get(claim.kind, ("What is said is true.", "What is said is not true."))[not right], language)


def _equal(claim: Claim, language: Language) -> str:
    documented, measured = wording.documented(claim, language), wording.value(claim, language)
    if claim.verdict in (Verdict.HOLDS, Verdict.REPRODUCED):
        return say("It is {measured}, as printed.", language, measured=measured)
    return say("It is {measured}, not {documented}.", language, measured=measured, documented=documented)


def _runs(claim: Claim, language: Language) -> str:
    if claim.verdict is Verdict.HOLDS:
        return say("The program runs as printed.", language)
    for one in wording.repairs(claim):
        if one.call and one.error:
            return say("As printed it fails at `{call}`: {error}", language, call=one.call, error=one.error)
    return say("The program fails as printed.", language)


def _unstated(claim: Claim, language: Language) -> str:
    measured = wording.measured(claim, language)
    return say("No number is printed; measured here: {measured}.", language, measured=measured)


def _timing(claim: Claim, language: Language) -> str:
    measured = wording.measured(claim, language)
    return say("The hardware is not named; measured here: {measured}.", language, measured=measured)


def _source(claim: Claim, language: Language) -> str:
    return claim.reason if language == "en" else say("The source settles it.", language)


_SENTENCES: dict[str, Callable[[Claim, Language], str]] = {
    "equivalence": _equivalence,
    "effect": _effect,
    "true": _true,
    "equal": _equal,
    "runs": _runs,
    "unstated": _unstated,
    "timing": _timing,
    "source": _source,
}


def _tolerance(claim: Claim, language: Language) -> str:
    number = text_of(claim.tolerance)
    return quantity(number, claim.unit, language) if claim.unit and claim.tolerance else number
