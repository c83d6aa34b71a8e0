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

_OWN = {  # by data set: whether own data are a table, and what they are
    "mnist": (False, "a folder with a folder of pictures for each class"),
    "imdb": (True, "a CSV of texts with their classes"),
    "text": (None, "no labelled data; kerazoo train takes a corpus of your own with --set corpus=FILE"),
}

_UNFREEZE = "Gradual unfreezing: train the last layer first and, every so many epochs, one more."


@click.command(
    "train",
    params=[
        NAME,
        option("--epochs", "Passes over the training data (default: the recipe's, or the resumed run's).", int),
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

    overrides = parse_assignments(assignments, train_options(kerazoo.spec(name)), f"model '{name}'")
    result = kerazoo.train(name, run_dir=common.run_directory(name, run_dir, resume), resume=resume, **how, **overrides)
    _report_training(name, result, as_json)


@click.command("evaluate", params=[NAME, common.MODEL, common.DATA_DIR, common.SOURCE, common.SET, JSON])
def evaluate(
    name: str, model: str | None, data_dir: str | None, source: str, assignments: tuple[str, ...], as_json: bool
) -> None:
    """Measure a trained model on the test split."""
    from kerazoo.data import data_options

    spec = kerazoo.spec(name)
    options = parse_assignments(assignments, data_options(spec), f"the data of '{name}'")
    if model is not None:
        common.must_exist(model)
    metrics = kerazoo.evaluate(name, model or "pretrained", data_dir=data_dir, source=source, **options)
    if as_json:
        print_json({"model": name, "file": model, "metrics": metrics})
    else:
        from kerazoo.report import tables

        tables.show_metrics(terminal(), metrics)


@click.command(
    "fine-tune",
    params=[
        NAME,
        path("--model", "A .keras file, or 'pretrained' for the packaged weights.", required=True),
        path("--data", "Your own data: a folder of pictures for each class, or a CSV of texts."),
        option("--text-column", "Column of the CSV with the texts (default: text).", metavar="COLUMN"),
        option("--label-column", "Column of the CSV with the classes (default: label).", metavar="COLUMN"),
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
def fine_tune(
    name: str,
    model: str,
    data: str | None,
    text_column: str | None,
    label_column: str | None,
    epochs: int | None,
    batch_size: int | None,
    seed: int | None,
    data_dir: str | None,
    source: str,
    run_dir: str | None,
    as_json: bool,
    **how: Any,
) -> None:
    """Train a trained model further, on its own data or yours."""
    from kerazoo.data import load_for
    from kerazoo.factory import PRETRAINED
    from kerazoo.model_file import origin_of

    spec = kerazoo.spec(name)
    if model != PRETRAINED:
        common.must_exist(model)
        if run_dir is not None and Path(run_dir).resolve() == Path(model).resolve().parent:
            raise InputError(f"'{run_dir}' is where the model to fine-tune lies; name another run directory")
    own = _own_data(spec, data, text_column, label_column, data_dir or (source if source != "auto" else None))
    trained = kerazoo.build(name, weights=model) if model == PRETRAINED else kerazoo.load_model(model, name)
    result = kerazoo.fine_tune(
        trained,
        load_for(spec, origin_of(trained).options, data_dir, source) if own is None else own,
        epochs=(spec.recipe.fine_tune_epochs or 5) if epochs is None else epochs,
        batch_size=spec.recipe.batch_size if batch_size is None else batch_size,
        seed=seed or 0,
        run_dir=common.run_directory(name, run_dir),
        **how,
    )
    _report_training(name, result, as_json)


def _own_data(spec: ModelSpec, path: str | None, text: str | None, label: str | None, other: str | None) -> Any:
    """Return the data at `path`, None where there is none; refuse options that would have no effect."""
    from kerazoo.data.own import read_data

    if path == "":
        raise InputError("--data is empty; name a folder of pictures or a CSV of texts")
    table = path is not None and not Path(path).is_dir()
    if (text or label) and not table:
        raise InputError("--text-column and --label-column are for a CSV; name one with --data")
    if path is not None and other is not None:
        raise InputError(f"--data {path} and {other}, which is of the model's own data, exclude each other; give one")
    if path is not None and Path(path).exists() and table != _OWN.get(spec.dataset or "", (table, ""))[0]:
        takes = _OWN[spec.dataset or ""][1]
        raise InputError(f"--data {path} is a {'file' if table else 'folder'}; {spec.name} takes {takes}")
    return None if path is None else read_data(path, text=text or "text", label=label or "label")


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
