"""Commands that tell what there is: list, show, doctor."""

from __future__ import annotations

import click

import kerazoo
from kerazoo.commands.common import JSON, NAME, argument, print_json, terminal
from kerazoo.errors import InputError


@click.command("list", params=[argument("pattern", required=False), JSON])
def list_command(pattern: str | None, as_json: bool) -> None:
    """List the models.

    With PATTERN, such as 'mnist_*', list those whose names match it.
    """
    names = kerazoo.list_models(pattern)
    if pattern is not None and not names:
        raise InputError(f"no model matches '{pattern}'. Models: {', '.join(kerazoo.list_models())}")
    from kerazoo.report import tables

    specs = [kerazoo.spec(name) for name in names]
    if as_json:
        print_json([tables.model_record(one) for one in specs])
    else:
        terminal().print(tables.model_table(specs))


@click.command("show", params=[NAME, JSON])
def show(name: str, as_json: bool) -> None:
    """Show a model's source, inputs, recipe, options and results."""
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
        tables.show_model(terminal(), spec, {**options, "recipe options": recipe})
        cards.show_card(terminal(), card)


@click.command("doctor", params=[JSON])
def doctor(as_json: bool) -> None:
    """Show versions, devices, CPU kernels, where data is.

    It also tells whether cuDNN would serve an LSTM, and if not, why.
    """
    from kerazoo.report import tables
    from kerazoo.report.doctor import examine, readable

    found = examine()
    if as_json:
        print_json(found)
    else:
        tables.show_pairs(terminal(), readable(found))
