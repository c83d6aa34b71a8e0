"""Claims in the forms that other programs read: CSV, and schema.org's ClaimReview."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from kerazoo.report import wording
from kerazoo.report.answers import answer
from kerazoo.report.languages import TAGS, Language, file_name
from kerazoo.schema import Claim, Verdict

_RATINGS = {
    Verdict.HOLDS: 5,
    Verdict.REPRODUCED: 5,
    Verdict.MIXED: 3,
    Verdict.NOT_REPRODUCED: 1,
    Verdict.WRONG: 1,
    Verdict.NOT_RUNNABLE: 1,
}
_COLUMNS = (
    "id", "fact", "document", "title", "section", "model", "kind", "quote", "gloss", "metric", "documented", "unit",
    "tolerance", "rule", "verdict", "measured", "sd", "low", "high", "n", "decides", "answer", "correct", "reference",
    "check", "source", "measured_at", "note",
)  # fmt: skip

_IN_WORDS = {"title": wording.title, "metric": wording.metric, "reference": wording.reference, "note": wording.note}


def as_csv(claims: Iterable[Claim], language: Language = "en") -> str:
    """Return a line a claim, below the names of the columns; lists are JSON.

    `title`, `metric`, `answer`, `reference` and `note` are in `language`; `gloss` is English. `low` and `high` are the
    ends of the 95 % interval of the mean.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for claim in claims:
        low, high = claim.interval or (None, None)
        told = {"low": low, "high": high, "answer": answer(claim, language)}
        told |= {name: tell(claim, language) for name, tell in _IN_WORDS.items()}
        writer.writerow(_cell(told[name] if name in told else getattr(claim, name)) for name in _COLUMNS)
    return text.getvalue()


def _cell(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (list, tuple, dict, bool)) else value


def claim_reviews(claims: Sequence[Claim], *, author: str, url: str = "", language: Language = "en") -> dict[str, Any]:
    """Return the claims that have a rating as schema.org's ClaimReview, in JSON-LD.

    What is undecided, or has nothing to compare with, has no place on a scale from false to true, and is left out.

    Args:
        claims: those to tell.
        author: who publishes the reviews.
        url: the address of the report's page; by default it is relative to the report's directory.
        language: of the verdicts and reasons.
    """
    page = url or file_name("report", ".html", language)
    days = [claim.measured_at[:10] for claim in claims if claim.measured_at]
    day = max(days, default=datetime.now(UTC).date().isoformat())  # of what nothing measures: that of the others
    reviews = [
        {
            "@type": "ClaimReview",
            "url": f"{page}#{claim.id}",
            "datePublished": (claim.measured_at or day)[:10],
            "inLanguage": TAGS[language],
            "author": {"@type": "Organization", "name": author},
            "claimReviewed": claim.quote if language != "en" else claim.gloss or claim.quote,
            "reviewBody": answer(claim, language),
            "reviewRating": {
                "@type": "Rating",
                "ratingValue": _RATINGS[claim.verdict],
                "bestRating": 5,
                "worstRating": 1,
                "alternateName": wording.words(claim.verdict, language),
            },
            "itemReviewed": {
                "@type": "Claim",
                "name": claim.quote,
                "appearance": {
                    "@type": "Article",
                    "identifier": claim.document,
                    "headline": wording.title(claim, language),
                },
            },
        }
        for claim in claims
        if claim.verdict in _RATINGS
    ]
    return {"@context": "https://schema.org", "@graph": reviews}
