"""How verdicts and measured values are put into words, the same on the page, in Markdown and on the terminal."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kerazoo.ledger.rules import combined
from kerazoo.ledger.values import text_of, with_margin
from kerazoo.report.languages import Language, is_chinese, known, quantity, say
from kerazoo.schema import Claim, Verdict

MEANINGS = {
    Verdict.REPRODUCED: "measured, within the tolerance",
    Verdict.HOLDS: "true as printed",
    Verdict.UNDECIDED: "measured, and too few seeds or too much spread to tell",
    Verdict.NOT_REPRODUCED: "measured, and outside the tolerance",
    Verdict.WRONG: "false as printed",
    Verdict.MIXED: "true in part",
    Verdict.NOT_RUNNABLE: "a program that fails as printed",
    Verdict.NOT_COMPARABLE: "nothing is claimed to compare with, or the hardware is not named",
    Verdict.NOT_MEASURED: "not tested here, or not yet measured",
}
"""The verdicts in the order in which they are told."""

SAMPLE = "Measured on the embedded sample, not on the real data."


def words(verdict: str, language: Language = "en") -> str:
    """Return a verdict as people write it."""
    return say(str(verdict).replace("_", " "), language)


def meaning(verdict: Verdict, language: Language = "en") -> str:
    """Return what a verdict means."""
    return say(MEANINGS[verdict], language)


def title(claim: Claim, language: Language = "en") -> str:
    """Return the title of a claim's document; in English where there is no other."""
    return claim.title if language == "en" else claim.zh.get("title", claim.title)


def section(name: str, language: Language = "en") -> str:
    """Return what a section of a document is called, by its number or name, which may be empty."""
    if not name:
        return say("Elsewhere", language)
    if not name[0].isdigit():
        return known(name, language)
    return say("Section {section}", language, section=name if language == "en" else name.replace(", ", "、"))


def metric(claim: Claim, language: Language = "en") -> str:
    """Return what is measured; in English where there is no other text."""
    return claim.metric if language == "en" else claim.zh.get("metric", claim.metric)


def reference(claim: Claim, language: Language = "en") -> str:
    """Return what settles a claim; in English, as publications are cited, where there is no other text."""
    return claim.reference if language == "en" else claim.zh.get("reference") or _places_in_chinese(claim.reference)


_PLACE = r"§[\w.]+(?:-[\d.]+)?(?: \((?:[^()]|\([^()]*\))*\))?"
_PLACES = re.compile(rf"(?:\b(\d{{3}}): )?({_PLACE}(?:[,;] {_PLACE})*)(; )?")
_SECTIONS = re.compile(r"\bdocument (\d{3}), sections? ([\d.]+(?:(?:, | and )[\d.]+)*)")


def _places_in_chinese(reference: str) -> str:
    """Return what settles a claim with its places in the documents, "000: §2; §3.1 (1., 2.)", in Chinese.

    Publications stay as they are cited.
    """

    def places(found: re.Match[str]) -> str:
        told = re.sub(r" \(((?:\d+\.[,-]? ?)+)\)", lambda one: f"（第{_items(one[1])}项）", found[2])
        told = re.sub(r" \(((?:[^()]|\([^()]*\))*)\)", lambda one: f"（{_words(one[1])}）", told)
        told = re.sub(r"([,;]) (?=§)", lambda one: "、" if one[1] == "," else "；", told)
        return (f"文章{found[1]}：" if found[1] else "") + told + ("；" if found[3] else "")

    def sections(found: re.Match[str]) -> str:
        return f"{found[1]}: " + ", ".join(f"§{one}" for one in re.split(", | and ", found[2]))

    told = _PLACES.sub(places, _SECTIONS.sub(sections, reference))
    return re.sub("; (?=文章)", "；", told)


def _items(numbers: str) -> str:
    return numbers.replace(".", "").replace(", ", "、").replace("-", "至")


def _words(quoted: str) -> str:
    """Return words of a document with Chinese marks between them, where they are Chinese; code stays."""
    return quoted.replace(", ", "、").replace(": ", "：") if is_chinese(quoted) else quoted


def caveat(claim: Claim, language: Language = "en") -> str:
    """Return what the study answers to other readings of a claim; empty where it does not do so in the language."""
    return claim.caveat if language == "en" else claim.zh.get("caveat", "")


def note(claim: Claim, language: Language = "en") -> str:
    """Return a claim's note: in English what the verdict's rule wrote, in Chinese the spread and the caveat."""
    if language == "en":
        return claim.note
    values = {name: text_of(getattr(claim, name)) for name in ("measured", "sd")}
    low, high = map(text_of, claim.interval or ("", ""))
    form = "Mean {measured} over {n} seeds, sd {sd}, 95 % interval {low} to {high}."
    spread = say(form, language, n=claim.n, low=low, high=high, **values) if claim.sd and claim.interval else ""
    sample = say(SAMPLE, language) if claim.source == "sample" else ""
    return "".join([spread, sample, caveat(claim, language)])


def facts(claims: Iterable[Claim]) -> dict[str, Verdict]:
    """Return the verdict on each fact that `claims` state, by the fact's id."""
    verdicts: dict[str, list[Verdict]] = defaultdict(list)
    for claim in claims:
        verdicts[claim.fact].append(claim.verdict)
    return {fact: combined(found) for fact, found in verdicts.items()}


def counts(claims: Iterable[Claim]) -> dict[Verdict, int]:
    """Return the number of facts of each verdict; verdicts that none has are left out."""
    found = Counter(facts(claims).values())
    return {verdict: found[verdict] for verdict in MEANINGS if found[verdict]}


def claims_by_verdict(claims: Iterable[Claim]) -> dict[Verdict, int]:
    """Return the number of claims of each verdict; verdicts that none has are left out."""
    found = Counter(claim.verdict for claim in claims)
    return {verdict: found[verdict] for verdict in MEANINGS if found[verdict]}


def summary(claims: Iterable[Claim], language: Language = "en") -> str:
    """Return the counts of facts in one line: "12 facts (of 20 claims): 4 reproduced, 8 hold".

    What was measured or computed and what a source settles are counted apart.
    """
    claims = list(claims)
    groups = [[one for one in claims if (one.rule == "source") is by_source] for by_source in (False, True)]
    if all(groups):
        measured, by_source = (_counted(group, language) for group in groups)
        form = "measured or computed: {measured}; settled by a source: {by_source}"
        return say(form, language, measured=measured, by_source=by_source)
    return _counted(claims, language)


def _counted(claims: Sequence[Claim], language: Language) -> str:
    found = counts(claims)
    if not claims:
        return say("no claims", language)
    total = sum(found.values())
    listed = _listed(found, "条" if total == len(claims) else "项", language)
    if total == len(claims):
        return say("1 claim: {listed}" if total == 1 else "{n} claims: {listed}", language, n=total, listed=listed)
    form = "1 fact (of {claims} claims): {listed}" if total == 1 else "{n} facts (of {claims} claims): {listed}"
    return say(form, language, n=total, claims=len(claims), listed=listed)


def capital(text: str) -> str:
    """Return a text as a sentence begins."""
    return text[:1].upper() + text[1:]


def cells(claims: Iterable[Claim], language: Language = "en") -> str:
    """Return the counts of numbers of a table in one line: "40 numbers: 9 reproduced, 31 not reproduced"."""
    found = claims_by_verdict(claims)
    return say("{n} numbers: {listed}", language, n=sum(found.values()), listed=_listed(found, "个", language))


def _listed(counted: Mapping[Verdict, int], measure: str, language: Language) -> str:
    """Return counts of verdicts in one line; `measure` is the word that stands after a Chinese number."""
    if language == "en":
        return ", ".join(f"{count} {_plural(verdict, count)}" for verdict, count in counted.items())
    return "，".join(f"{count}{measure}{words(verdict, language)}" for verdict, count in counted.items())


def _plural(verdict: Verdict, count: int) -> str:
    return "hold" if verdict is Verdict.HOLDS and count != 1 else words(verdict)


def documents(count: int, language: Language = "en") -> str:
    """Return how many documents there are, in words."""
    return say("1 article" if count == 1 else "{n} articles", language, n=count)


def documented(claim: Claim, language: Language = "en") -> str:
    """Return what the document says, with its unit."""
    if claim.documented is None:
        return say("as quoted" if claim.rule == "source" else "no number", language)
    if language != "en" and isinstance(claim.documented, (str, bool)) and claim.rule != "runs":
        return say("as quoted", language)  # a formula, with words of English in it, or a statement
    return _with_unit(_plain(claim, claim.documented, language), claim, language)


def value(claim: Claim, language: Language = "en") -> str:
    """Return what was measured: the mean with the half width of its 95 % interval, and the unit."""
    return _with_unit(number(claim, language), claim, language)


def number(claim: Claim, language: Language = "en") -> str:
    """Return what `value` does, without the unit."""
    if claim.n == 1 or not claim.interval or not claim.sd:
        return _plain(claim, claim.measured, language)
    return with_margin(claim.measured, (claim.interval[1] - claim.interval[0]) / 2)


def measured(claim: Claim, language: Language = "en") -> str:
    """Return what was measured as `value` does, with the seeds."""
    if claim.rule == "source":
        return say("by the source", language)
    if claim.measured is None:
        return say("not measured", language)
    told = value(claim, language)
    return told if claim.n == 1 else say("{told} ({n} seeds)", language, told=told, n=claim.n)


def test_error(claim: Claim, language: Language = "en") -> str:
    """Return the interval that the finite test set gives an accuracy, or an empty text."""
    if claim.binomial is None:
        return ""
    low, high = (f"{end:.4f}" for end in claim.binomial)
    return say("Of the test set's finite size alone (Wilson, 95 %): {low} to {high}.", language, low=low, high=high)


def provenance(claim: Claim, language: Language = "en") -> str:
    """Return which experiment measured a claim, with which seeds, on which data, where and when."""
    if not claim.n:
        return ""
    comma = say(", ", language)
    listed = (comma if language == "en" else "、").join(map(str, claim.seeds))
    parts = [
        say("experiment {name}", language, name=claim.check),
        say("seeds {listed}", language, listed=listed) if claim.n > 1 else "",
        comma.join(f"{name} {version}" for name, version in claim.data.items()),
        machine(claim.environment, language),
        (claim.measured_at or "")[:10],
    ]
    return say("; ", language).join(filter(None, parts))


def machine(environment: Mapping[str, Any], language: Language = "en") -> str:
    """Return an environment in one line."""
    if not environment:
        return ""
    versions = environment.get("versions", {})
    given = environment.get("cores")
    form = "{n} core" if given == 1 else "{n} cores"
    cores = say(form, language, n=f"{given[0]}-{given[-1]}" if isinstance(given, list) else given)
    comma = say(", ", language)
    device = comma.join(environment.get("gpus") or []) or f"{environment.get('cpu')}{comma}{cores}"
    named = [f"{label} {versions[name]}" for label, name in _PACKAGES.items() if name in versions]
    deterministic = say("deterministic", language) if environment.get("deterministic_ops") else ""
    return comma.join(filter(None, [device, *named, str(environment.get("precision", "")), deterministic]))


_PACKAGES = {"TensorFlow": "tensorflow", "Keras": "keras"}


def weights(entry: Mapping[str, Any]) -> dict[str, str]:
    """Return what the manifest says of a model's pretrained weights, in a few lines by their names."""
    data, chosen = (entry.get(name, {}) for name in ("data", "chosen"))
    chosen_on = f"of epoch {chosen['epoch']}, by {chosen['by']} on {chosen['on']}" if chosen else ""
    lines = {
        "test split": test_split(entry),
        "trained on": " ".join(str(data[name]) for name in ("name", "version") if name in data),
        "recipe": str(entry.get("recipe", {}).get("improved") or "the document's"),
        "chosen": chosen_on,
        "file": f"{entry.get('file')}, {entry.get('bytes', 0):,} bytes, sha256 {entry.get('sha256')}",
    }
    return {name: line for name, line in lines.items() if line}


def test_split(entry: Mapping[str, Any], language: Language = "en") -> str:
    """Return what pretrained weights reach on the test split; empty where that was not measured."""
    test = entry.get("test", {})
    space = " " if language == "en" else ""
    named = (f"{known(name, language)}{space}{text_of(one)}" for name, one in test.items() if isinstance(one, float))
    measures = say(", ", language).join(named)
    low, high = (f"{end:.4f}" for end in test.get("accuracy_interval") or (0.0, 0.0))
    if not measures or not test.get("accuracy_interval"):
        return measures
    form = "{measures}; of the accuracy, 95 % interval (Wilson) {low} to {high}"
    return say(form, language, measures=measures, low=low, high=high)


@dataclass(frozen=True)
class Repair:
    """A change that a printed program needs: what is done and why, and the call that fails without it."""

    what: str
    why: str
    call: str
    error: str


def repairs(claim: Claim) -> list[Repair]:
    """Return the changes that a printed program needs to run, in their order."""
    found = []
    for one in claim.repairs:
        given = one if isinstance(one, Mapping) else {"what": one}
        found.append(Repair(*(str(given.get(name) or "") for name in ("what", "why", "call", "error"))))
    return found


def _plain(claim: Claim, given: Any, language: Language) -> str:
    if isinstance(given, bool):
        if claim.rule == "runs":
            return say("runs" if given else "fails", language)
        return say("as stated" if given else "not as stated", language)
    return text_of(given)


def _with_unit(text: str, claim: Claim, language: Language) -> str:
    is_number = text[:1].isdigit() or text[:1] in "-["
    if not claim.unit or not (is_number or claim.unit == "class"):
        return text
    return quantity(text, claim.unit, language)
