"""Commands that tell what there is: list, show, doctor."""

from __future__ import annotations

from typing import Annotated

import typer

import kerazoo
from kerazoo.commands.common import Json, Name, out, print_json
from kerazoo.errors import InputError


def list_command(
    pattern: Annotated[str | None, typer.Argument(help="Names to list, e.g. 'mnist_*'.")] = None, as_json: Json = False
) -> None:
    """List the models."""
    names = kerazoo.list_models(pattern)
    if pattern is not None and not names:
        raise InputError(f"no model matches '{pattern}'. Models: {', '.join(kerazoo.list_models())}")
    from kerazoo.report import tables

    specs = [kerazoo.spec(name) for name in names]
    if as_json:
        print_json([tables.model_record(one) for one in specs])
    else:
        out.print(tables.model_table(specs))


def show(name: Name, as_json: Json = False) -> None:
    """Show what is known of a model: source, inputs, outputs, recipe, options, and what was measured."""
    from kerazoo.options import RECIPE_OPTIONS
    from kerazoo.report import cards, tables
    from kerazoo.report.contents import gather
    from kerazoo.tasks import task_of

    spec = kerazoo.spec(name)
    card = cards.card_of(gather(), spec)
    data_only = {key: value for key, value in task_of(spec).options(spec).items() if key not in spec.defaults}
    options = {"model options": spec.defaults, "data options": data_only}
    if as_json:
        print_json({**tables.model_record(spec), "options": {**spec.defaults, **data_only}, **cards.card_record(card)})
    else:
        recipe = {name: getattr(spec.recipe, name) for name in RECIPE_OPTIONS}
        tables.show_model(out, spec, {**options, "recipe options": recipe})
        cards.show_card(out, card)


def doctor(as_json: Json = False) -> None:
    """Show versions, devices, whether cuDNN would serve an LSTM, the kernels for a CPU, and where the data is."""
    from kerazoo.report import tables
    from kerazoo.report.doctor import examine, readable

    found = examine()
    if as_json:
        print_json(found)
    else:
        tables.show_pairs(out, readable(found))
