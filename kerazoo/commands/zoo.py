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
    """Show a model's source, inputs, recipe, options and results.

    NAME may also be that of a task, such as mnist: what its models take, and what --data may be.
    """
    from kerazoo.options import RECIPE_OPTIONS
    from kerazoo.report import cards, tables
    from kerazoo.report.contents import gather
    from kerazoo.tasks import list_tasks, task_of

    if name in list_tasks() and name not in kerazoo.list_models():
        _show_task(name, as_json)
        return
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


def _show_task(name: str, as_json: bool) -> None:
    from kerazoo.report import tables
    from kerazoo.tasks import find

    task = find(name)
    models = [one for one in kerazoo.list_models() if kerazoo.spec(one).task == name]
    record = {"task": name, "summary": task.summary, "models": models, "classes": list(task.classes)}
    record |= {"takes": task.takes, "own_data": task.own}
    if as_json:
        print_json(record)
    else:
        told = {
            key.replace("_", " "): ", ".join(value) if isinstance(value, list) else value
            for key, value in record.items()
        }
        tables.show_pairs(terminal(), {key: value or "-" for key, value in told.items()})


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
