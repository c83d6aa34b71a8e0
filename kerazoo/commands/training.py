"""Commands that train: train, evaluate, fine-tune, pretrain."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

import kerazoo
from kerazoo.commands import common
from kerazoo.commands.common import JSON, NAME, TRAINING, argument, flag, option, path, print_json, terminal
from kerazoo.errors import InputError
from kerazoo.options import parse_assignments
from kerazoo.schema import ModelSpec

_DATA = "Your own data: a folder of pictures for each class, a CSV of texts, or one text to learn from."
_OWN = [
    path("--data", _DATA),
    option("--text-column", "Column of the CSV with the texts (default: text).", metavar="COLUMN"),
    option("--label-column", "Column of the CSV with the classes (default: label).", metavar="COLUMN"),
]
_UNFREEZE = "Gradual unfreezing: train the last layer first and, every so many epochs, one more."


@click.command(
    "train",
    params=[
        NAME,
        option("--epochs", "Passes over the training data (default: the recipe's, or the resumed run's).", int),
        *_OWN,
        *TRAINING,
        flag("--resume", "Go on with the run in --run-dir; its settings are known."),
        option("--precision", "Keras dtype policy, e.g. mixed_bfloat16.", metavar="POLICY"),
        flag("--tensorboard", "Also write TensorBoard's event files."),
        common.SET,
        JSON,
    ],
)
def train(
    name: str, run_dir: str | None, resume: bool, assignments: tuple[str, ...], as_json: bool, **how: Any
) -> None:
    """Train a model by its document's recipe."""
    from kerazoo.training.train import train_options

    spec = kerazoo.spec(name)
    overrides = parse_assignments(assignments, train_options(spec), f"model '{name}'")
    data, directory = _own_data(spec, how), common.run_directory(name, run_dir, resume)
    result = kerazoo.train(name, data=data, run_dir=directory, resume=resume, **how, **overrides)
    _report_training(name, result, as_json)


@click.command("evaluate", params=[NAME, common.MODEL, *_OWN, common.DATA_DIR, common.SOURCE, common.SET, JSON])
def evaluate(name: str, model: str | None, assignments: tuple[str, ...], as_json: bool, **where: Any) -> None:
    """Measure a trained model on the test split.

    With --data it is measured on all of your own data; on a text, its last tenth.
    """
    from kerazoo.inference.evaluation import measure
    from kerazoo.tasks import task_of
    from kerazoo.training.session import describe

    spec = kerazoo.spec(name)
    options = parse_assignments(assignments, task_of(spec).options(spec), f"the data of '{name}'")
    data = _own_data(spec, where, test_split=0.0)
    metrics, used = measure(name, model, data=data, **where, **options)
    if as_json:
        print_json({"model": name, "file": model, "metrics": metrics, "data": describe(used)})
    else:
        from kerazoo.report import tables

        tables.show_metrics(terminal(), metrics)
        count = used.sizes.get("test", used.sizes["train"])
        common.say(f"measured on {count:,} examples of {used.name} ({used.source})")


@click.command(
    "fine-tune",
    params=[
        NAME,
        path("--model", "A .keras file, or 'pretrained' for the packaged weights.", required=True),
        *_OWN,
        option("--epochs", "Passes over the training data (default: the document's, or 5).", int),
        option("--num-classes", "Replace the last layer by a new one for this many classes.", int),
        option("--trainable-layers", "Train only the last N layers with weights.", int, metavar="N"),
        option("--unfreeze-every", _UNFREEZE, int, metavar="EPOCHS"),
        option("--learning-rate", "Learning rate (default: the one the model has).", float),
        option("--layer-decay", "Learning-rate factor per layer, from the output back.", float, metavar="FACTOR"),
        option("--weight-decay", "Decoupled weight decay of the optimizer.", float),
        option("--l1", "L1 penalty on the kernels.", default=0.0),
        option("--l2", "L2 penalty on the kernels.", default=0.0),
        *TRAINING,
        JSON,
    ],
)
def fine_tune(name: str, model: str, seed: int | None, run_dir: str | None, as_json: bool, **how: Any) -> None:
    """Train a trained model further, on its own data or yours."""
    from kerazoo.factory import PRETRAINED

    if model != PRETRAINED and run_dir is not None and Path(run_dir).resolve() == Path(model).resolve().parent:
        raise InputError(f"'{run_dir}' is where the model to fine-tune lies; name another run directory")
    data = _own_data(kerazoo.spec(name), how)
    trained = name if model == PRETRAINED else kerazoo.load_model(model, name)
    result = kerazoo.fine_tune(trained, data, seed=seed or 0, run_dir=common.run_directory(name, run_dir), **how)
    _report_training(name, result, as_json)


def _own_data(spec: ModelSpec, given: dict[str, Any], **how: Any) -> Any:
    """Return the user's own data that the options in `given` name, which are taken out of it; None for none.

    Raises:
        InputError: an option would have no effect.
    """
    from kerazoo.tasks import task_of

    place, columns = given.pop("data"), {name: given.pop(f"{name}_column") for name in ("text", "label")}
    columns = {name: value for name, value in columns.items() if value}
    if place == "":
        raise InputError("--data is empty; name a folder of pictures, a CSV of texts or a text")
    if columns and (place is None or Path(place).is_dir()):
        raise InputError("--text-column and --label-column are for a CSV; name one with --data")
    other = given["data_dir"] or (given["source"] if given["source"] != "auto" else None)
    if place is not None and other is not None:
        raise InputError(f"--data {place} and {other}, which is of the model's own data, exclude each other; give one")
    return None if place is None else task_of(spec).read(Path(place), **columns, **how)


@click.command(
    "pretrain",
    params=[
        argument("names", metavar="NAME...", nargs=-1, required=True),
        path("--out out_dir", "Directory for the weights and their manifest.", default="weights"),
        common.DATA_DIR,
        JSON,
    ],
)
def pretrain(names: tuple[str, ...], out_dir: str, data_dir: str | None, as_json: bool) -> None:
    """Train the packaged weights anew on the real data."""
    from kerazoo.pretraining.run import check
    from kerazoo.pretraining.run import pretrain as train_weights

    check(names, Path(out_dir))  # all of them, before hours of training
    entries = [train_weights(name, out_dir, data_dir=data_dir, say=common.tell) for name in names]
    if as_json:
        print_json(dict(zip(names, entries, strict=True)))


def _report_training(name: str, result: Any, as_json: bool) -> None:
    from kerazoo.model_file import origin_of
    from kerazoo.report import tables
    from kerazoo.training.run_directory import read_config

    if as_json:
        epochs = len(next(iter(result.history.values()), []))
        fields = ("metrics", "history", "seconds", "environment", "data")
        seed = read_config(result.run_dir)["seed"]
        document = {"model": name, "seed": seed, "epochs": epochs, "run_dir": str(result.run_dir)}
        if classes := origin_of(result.model).classes:
            document["classes"] = classes
        print_json({**document, **{field: getattr(result, field) for field in fields}})
        return
    tables.show_metrics(terminal(), result.metrics)
    data = f"{result.data['name']} ({result.data['source']})"
    common.say(f"{result.seconds:.1f} s of training on {data}; the run is in {result.run_dir}")
