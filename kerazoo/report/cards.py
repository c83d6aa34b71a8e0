"""Model cards: what a document prints of a model, what was repaired, and what was measured."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.text import Text

from kerazoo.ledger.values import text_of
from kerazoo.report import wording
from kerazoo.report.contents import Contents
from kerazoo.report.markdown import NOTICE, anchor, cells_table, code, escaped, table
from kerazoo.report.tables import plain_table
from kerazoo.schema import Claim, ModelSpec
from kerazoo.tasks import task_of


@dataclass(frozen=True)
class Card:
    """A model, the claims about it but for the cells of a printed table of epochs, these, and its weights."""

    spec: ModelSpec
    claims: tuple[Claim, ...]
    cells: tuple[Claim, ...]
    weights: Mapping[str, Any] | None

    @property
    def results(self) -> list[Claim]:
        """The claims with a number that was measured over seeds, but for the cells."""
        return [claim for claim in self.claims if claim.n and claim.kind in ("metric", "timing") or claim.sd]

    @property
    def repairs(self) -> list[wording.Repair]:
        """What the printed program needs to run."""
        return [one for claim in self.claims if claim.kind == "program" for one in wording.repairs(claim)]


def card_of(contents: Contents, spec: ModelSpec) -> Card:
    """Return the card of a model; one that the ledger does not know has no claims."""
    about = contents.of_model(spec.name)
    cells = tuple(claim for claim in about if claim.id in contents.cells)
    return Card(spec, tuple(claim for claim in about if claim not in cells), cells, contents.weights.get(spec.name))


def card_record(card: Card) -> dict[str, Any]:
    """Return what a card adds to a model's record, as plain values for JSON."""
    fields = ("id", "metric", "unit", "documented", "measured", "sd", "interval", "binomial", "n", "verdict")
    return {
        "verdicts": wording.counts([*card.claims, *card.cells]),
        "results": [{name: getattr(claim, name) for name in fields} for claim in card.results],
        "repairs": [dataclasses.asdict(one) for one in card.repairs],
        "weights": card.weights,
    }


def show_card(console: Console, card: Card) -> None:
    """Print what was measured of a model, in short."""
    shown = plain_table("", "")
    shown.show_header = False
    for claim in card.results:
        shown.add_row(Text(claim.metric), Text(f"{wording.measured(claim)}; {wording.words(claim.verdict)}"))
    if card.cells:
        shown.add_row("printed table of epochs", wording.cells(card.cells))
    for one in card.repairs:
        shown.add_row("repaired", Text(f"{one.what}: {one.why}"))
    for name, line in wording.weights(card.weights).items() if card.weights else ():
        shown.add_row(f"weights: {name}", Text(line))
    every = [*card.claims, *card.cells]
    if every:
        shown.add_row("verdicts", f"{wording.summary(every)}; `kerazoo claims {card.spec.name}` shows them")
    if shown.row_count:
        console.print(shown)


def documents(contents: Contents) -> dict[str, str]:
    """Return the cards of the zoo's own models as Markdown, by the models' names."""
    return {spec.name: document(contents, card_of(contents, spec)) for spec in contents.models}


def document(contents: Contents, card: Card) -> str:
    """Return a card as Markdown."""
    spec = card.spec
    parts = [
        f"# {spec.name}",
        NOTICE,
        f"{escaped(spec.summary)} From {spec.source}; {spec.num_params:,} parameters.",
        "## Use\n\n" + example(spec),
        "## Inputs and outputs\n\n" + _tensors(spec),
        "## Recipe\n\n" + _recipe(spec),
        _section("Pretrained weights", _weights(card)),
        _section("What the document prints", _printed(card)),
        _section("What was repaired", _repaired(card)),
        _section("Measured", _results(card)),
        _section("The printed table of epochs", cells_table(contents, card.cells) if card.cells else ""),
        _section("Verdicts", _verdicts(card)),
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def example(spec: ModelSpec) -> str:
    """Return a program that runs as it stands: the model on the first examples of its data."""
    sized = ", **data.model_options" if task_of(spec).generates else ""  # as large as the corpus's vocabulary
    lines = [
        "import kerazoo",
        "",
        f'data = kerazoo.load_data("{spec.name}")',
        f'model = kerazoo.build("{spec.name}", seed=0{sized})',
        "print(model.predict(data.x_train[:3], verbose=0))",
    ]
    train = f"`kerazoo train {spec.name}` trains it by its recipe."
    return "\n".join(["```python", *lines, "```", "", train])


def _section(title: str, content: str) -> str:
    return f"## {title}\n\n{content}" if content else ""


def _tensors(spec: ModelSpec) -> str:
    lines = [f"- input {escaped(str(tensor))}" for tensor in spec.inputs]
    lines += [f"- output {escaped(str(tensor))}" for tensor in spec.outputs]
    options = ", ".join(f"{name}={value!r}" for name, value in spec.defaults.items())
    return "\n".join([*lines, f"- options: {code(options)}"])


def _recipe(spec: ModelSpec) -> str:
    recipe = spec.recipe
    rate = "the optimizer's default" if recipe.learning_rate is None else f"{recipe.learning_rate:g}"
    rows = [
        ("data", spec.task or "the caller's own"),
        ("optimizer", recipe.optimizer),
        ("learning rate", rate),
        ("loss", f"{recipe.loss}{' on logits' if recipe.from_logits else ''}"),
        ("batch size", str(recipe.batch_size)),
        ("epochs", str(recipe.epochs)),
    ]
    if recipe.fine_tune_epochs:
        rows.append(("epochs of fine-tuning", str(recipe.fine_tune_epochs)))
    if recipe.validation:
        rows.append(("validated on", f"the {recipe.validation} split"))
    return table(("", ""), [(name, escaped(value)) for name, value in rows])


def _weights(card: Card) -> str:
    rows = wording.weights(card.weights).items() if card.weights else ()
    use = f'`kerazoo.build("{card.spec.name}", weights="pretrained")` loads them.'
    return f"{use}\n\n" + table(("", ""), [(name, escaped(line)) for name, line in rows]) if rows else ""


def _printed(card: Card) -> str:
    rows = [(claim.section, code(claim.quote), escaped(claim.gloss)) for claim in card.claims if claim.quote]
    return table(("section", "printed", "in English"), rows) if rows else ""


def _repaired(card: Card) -> str:
    parts = []
    for claim in card.claims:
        if claim.kind != "program":
            continue
        parts.append(f"As printed: **{wording.words(claim.verdict)}**. {escaped(claim.note)}".strip())
        parts += [
            f"{place}. **{escaped(one.what)}** {escaped(one.why)}"
            + (f" Without it {code(one.call)} fails: {escaped(one.error)}" if one.call else "")
            for place, one in enumerate(wording.repairs(claim), start=1)
        ]
    return "\n\n".join(parts)


def _results(card: Card) -> str:
    rows = [
        (
            escaped(claim.metric),
            escaped(wording.measured(claim)),
            "" if claim.sd is None else text_of(claim.sd),
            _interval(claim.interval if claim.sd else None),
            _interval(claim.binomial),
        )
        for claim in card.results
    ]
    return table(("metric", "mean", "sd", "95 % interval over seeds", "of the test set's size"), rows) if rows else ""


def _interval(interval: Iterable[float] | None) -> str:
    return "" if interval is None else " to ".join(map(text_of, interval))


def _verdicts(card: Card) -> str:
    rows = [
        (
            f"[{claim.id}](../claims.md#{anchor(claim)})",
            escaped(wording.documented(claim)),
            escaped(wording.measured(claim)),
            f"**{wording.words(claim.verdict)}**",
        )
        for claim in card.claims
    ]
    every = wording.summary([*card.claims, *card.cells])
    return f"{every}.\n\n" + table(("claim", "documented", "measured", "verdict"), rows) if rows else ""
