"""What the page shows besides curves: mistaken digits, attention weights, generated text."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from kerazoo.lazy import np
from kerazoo.report.contents import Contents
from kerazoo.report.drawing import picture
from kerazoo.report.elements import Markup, element

_EXAMPLE = {"q": (1.0, 2.0, 0.0), "k": (1.0, 0.0, 1.0)}  # document 001, section 4.3 has letters only; these are ours
_DIGITS = {"mnist_mlp": "mnist_mlp_training", "mnist_mlp_dropout": "mnist_mlp_dropout_training"}


def digit_mistakes(contents: Contents) -> list[Markup]:
    """Return, for each digit classifier, its confusion matrix and the digits that it finds hardest, for the seed 0."""
    parts = []
    for model, experiment in _DIGITS.items():
        evidence: dict[str, Any] = next(
            (one["evidence"] for one in contents.values(experiment) if "evidence" in one), {}
        )
        parts.append(element("h3", element("code", model)))
        if "confusion_matrix" in evidence:
            parts.append(_confusion(model, evidence["confusion_matrix"]))
        if evidence.get("hardest"):
            parts.append(_hardest(evidence["hardest"]))
        if not evidence:
            parts.append(element("p", f"{model}: not measured.", class_="absent"))
    return parts


def _confusion(model: str, matrix: list[list[int]]) -> Markup:
    """Return the confusion matrix as a table; the more mistakes of a kind, the darker the cell."""
    most = max(max((n for j, n in enumerate(row) if j != i), default=1) for i, row in enumerate(matrix)) or 1
    head = element("tr", element("td"), [element("th", digit, scope="col") for digit in range(len(matrix))])
    body = []
    for true, row in enumerate(matrix):
        cells = [
            element("td", count, class_="hit")
            if read == true
            else element("td", count or "·", style=f"--heat:{count / most:.2f}")
            for read, count in enumerate(row)
        ]
        body.append(element("tr", element("th", true, scope="row"), cells))
    total = sum(map(sum, matrix))
    wrong = total - sum(matrix[digit][digit] for digit in range(len(matrix)))
    caption = f"{model}, seed 0: {wrong} of {total:,} test digits are mistaken. Rows: the digit; columns: read as."
    return element("table", element("caption", caption), head, body, class_="confusion")


def _hardest(digits: list[dict[str, Any]]) -> Markup:
    shown = []
    for one in digits:
        place, label, read = int(one["index"]), int(one["label"]), int(one["predicted"])
        alt = f"Test picture {place}: a handwritten {label}, read as {read}"
        source = f"data:image/png;base64,{_checked(one['png'])}"
        caption = element("figcaption", f"{label} → {read}", element("small", f"{one['confidence']:.1%} sure"))
        shown.append(element("figure", element("img", src=source, alt=alt, width=56, height=56), caption))
    title = "The digits whose true class gets the least probability: true → read"
    return element("div", element("p", title), element("div", shown, class_="digits"))


def _checked(png: str) -> str:
    """Return base64 as it is; an empty text where it is none."""
    try:
        base64.b64decode(png, validate=True)
    except (binascii.Error, ValueError, TypeError):
        return ""
    return png


def attention_pictures() -> list[Markup]:
    """Return the attention weights of document 001's worked example: by its own lines, and by the formula."""
    from kerazoo.ledger.experiments.attention import attend

    q, k = (np.array(_EXAMPLE[name]) for name in "qk")
    powers = np.exp(q * k)
    printed = (powers / powers.sum())[None]  # (1, 3)
    formula = attend(q[:, None], k[:, None], np.eye(3))  # with V the identity the output is the weights, (3, 3)
    return [
        _heatmap(formula, "softmax(QKᵀ/√d) of section 4.1", [f"q{i}={value:g}" for i, value in enumerate(q, 1)], k),
        _heatmap(printed, "the example's Output, section 4.3", ["qᵢkᵢ"], k),
    ]


def _heatmap(weights: Any, title: str, rows: list[str], keys: Any) -> Markup:
    columns = [f"k{i}={value:g}" for i, value in enumerate(keys, 1)]

    def draw(axes: Any) -> None:
        axes.grid(False)
        axes.pcolormesh(weights, cmap="Blues", vmin=0, vmax=1, edgecolors="#8090a0", linewidth=0.5)
        axes.set_xticks(np.arange(len(columns)) + 0.5, columns)
        axes.set_yticks(np.arange(len(rows)) + 0.5, rows)
        axes.invert_yaxis()
        axes.set_title(title, fontsize=12)
        axes.tick_params(length=0)
        for (row, column), weight in np.ndenumerate(weights):
            colour = "#ffffff" if weight > 0.5 else "#10243a"
            axes.text(column + 0.5, row + 0.5, f"{weight:.3f}", ha="center", va="center", color=colour)

    told = "; ".join(f"{row}: {', '.join(f'{w:.3f}' for w in line)}" for row, line in zip(rows, weights, strict=True))
    return picture(draw, f"Attention weights, {title}. {told}", (4.6, 2.6 if len(rows) > 1 else 1.5))


def generated_text(contents: Contents) -> list[Markup]:
    """Return what `textgen_lstm` wrote with its first seed, and how good it is."""
    row = next((one for one in contents.rows.get("textgen_lstm_training", []) if one["values"].get("sample")), None)
    if row is None:
        return [element("p", "textgen_lstm: not measured.", class_="absent")]
    values = row["values"]
    share = f"{values['word_share']:.0%} of its words occur in the training text" if "word_share" in values else ""
    perplexity = f"perplexity {values['perplexity']:.3g} a character on the test text" if "perplexity" in values else ""
    told = "; ".join(filter(None, (f"Seed {row['seed']}, temperature 1, the first 300 characters", share, perplexity)))
    return [element("figure", element("pre", values["sample"]), element("figcaption", f"{told}."))]
