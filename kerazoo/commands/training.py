"""Commands that train: train, evaluate, fine-tune, pretrain."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

import kerazoo
from kerazoo.commands.common import (
    BATCH_SIZE,
    DATA_DIR,
    EARLY_STOPPING,
    JSON,
    MODEL,
    NAME,
    OVERWRITE,
    RUN_DIR,
    SEED,
    SET,
    SOURCE,
    VALIDATION_SPLIT,
    complete_names,
    must_exist,
    path_option,
    print_json,
    run_directory,
    say,
    tell,
    terminal,
)
from kerazoo.errors import InputError
from kerazoo.options import parse_assignments
from kerazoo.schema import ModelSpec

DATA = path_option("--data", "Your own data: a folder of pictures for each class, a CSV of texts, or one text.")
COLUMNS = (
    click.Option(["--text-column"], metavar="COLUMN", help="Column of the CSV with the texts (default: text)."),
    click.Option(["--label-column"], metavar="COLUMN", help="Column with the classes (default: label)."),
)


@click.command(
    "train",
    params=[
        NAME,
        click.Option(
            ["--epochs"], type=int, help="Passes over the training data (default: the recipe's, or the resumed run's)."
        ),
        BATCH_SIZE,
        SEED,
        DATA,
        *COLUMNS,
        DATA_DIR,
        SOURCE,
        RUN_DIR,
        click.Option(["--resume"], is_flag=True, help="Go on with the run in --run-dir; its settings are known."),
        OVERWRITE,
        click.Option(["--precision"], metavar="POLICY", help="Keras dtype policy, e.g. mixed_bfloat16."),
        VALIDATION_SPLIT,
        EARLY_STOPPING,
        click.Option(["--tensorboard"], is_flag=True, help="Also write TensorBoard's event files."),
        SET,
        JSON,
    ],
)
def train(
    name: str,
    run_dir: str | None,
    resume: bool,
    assignments: tuple[str, ...],
    as_json: bool,
    data: str | None,
    text_column: str | None,
    label_column: str | None,
    **how: Any,
) -> None:
    """Train a model by its document's recipe."""
    from kerazoo.training.train import train_options

    spec = kerazoo.spec(name)
    overrides = parse_assignments(assignments, train_options(spec), f"model '{name}'")
    own = _own_data(spec, data, text_column, label_column, how)
    directory = run_directory(name, run_dir, resume)
    result = kerazoo.train(name, data=own, run_dir=directory, resume=resume, **how, **overrides)
    _report_training(name, result, as_json)


@click.command("evaluate", params=[NAME, MODEL, DATA, *COLUMNS, DATA_DIR, SOURCE, SET, JSON])
def evaluate(
    name: str,
    model: str | None,
    data: str | None,
    text_column: str | None,
    label_column: str | None,
    assignments: tuple[str, ...],
    as_json: bool,
    **where: Any,
) -> None:
    """Measure a trained model on the test split, or on your own data."""
    from kerazoo.tasks import task_of
    from kerazoo.training.evaluation import measure
    from kerazoo.training.session import describe

    spec = kerazoo.spec(name)
    options = parse_assignments(assignments, task_of(spec).options(spec), f"the data of '{name}'")
    if model is not None:
        must_exist(model)
    own = _own_data(spec, data, text_column, label_column, where, test_split=0.0)
    metrics, used = measure(name, model, data=own, **where, **options)
    if as_json:
        print_json({"model": name, "file": model, "metrics": metrics, "data": describe(used)})
    else:
        from kerazoo.report import tables

        tables.show_metrics(terminal(), metrics)
        count = used.sizes.get("test", used.sizes["train"])
        say(f"measured on {count:,} examples of {used.name} ({used.source})")


@click.command(
    "fine-tune",
    params=[
        NAME,
        path_option("--model", "A .keras file, or 'pretrained' for the packaged weights.", required=True),
        DATA,
        *COLUMNS,
        click.Option(["--epochs"], type=int, help="Passes over the training data (default: the document's, or 5)."),
        click.Option(["--num-classes"], type=int, help="Replace the last layer by a new one for this many classes."),
        click.Option(["--trainable-layers"], type=int, metavar="N", help="Train only the last N layers with weights."),
        click.Option(
            ["--unfreeze-every"],
            type=int,
            metavar="EPOCHS",
            help="Gradual unfreezing: train the last layer first and, every so many epochs, one more.",
        ),
        click.Option(["--learning-rate"], type=float, help="Learning rate (default: the one the model has)."),
        click.Option(
            ["--layer-decay"],
            type=float,
            metavar="FACTOR",
            help="Learning-rate factor per layer, from the output back.",
        ),
        click.Option(["--weight-decay"], type=float, help="Decoupled weight decay of the optimizer."),
        click.Option(["--l1"], type=float, default=0.0, help="L1 penalty on the kernels (default: 0)."),
        click.Option(["--l2"], type=float, default=0.0, help="L2 penalty on the kernels (default: 0)."),
        BATCH_SIZE,
        SEED,
        DATA_DIR,
        SOURCE,
        RUN_DIR,
        OVERWRITE,
        VALIDATION_SPLIT,
        EARLY_STOPPING,
        JSON,
    ],
)
def fine_tune(
    name: str,
    model: str,
    data: str | None,
    text_column: str | None,
    label_column: str | None,
    seed: int | None,
    run_dir: str | None,
    as_json: bool,
    **how: Any,
) -> None:
    """Train a trained model further, on its own data or yours."""
    from kerazoo.factory import PRETRAINED

    spec = kerazoo.spec(name)
    if model != PRETRAINED:
        must_exist(model)
        if run_dir is not None and Path(run_dir).resolve() == Path(model).resolve().parent:
            raise InputError(f"'{run_dir}' is where the model to fine-tune lies; name another run directory")
    own = _own_data(spec, data, text_column, label_column, how)
    trained = name if model == PRETRAINED else kerazoo.load_model(model, name)
    result = kerazoo.fine_tune(trained, own, seed=seed or 0, run_dir=run_directory(name, run_dir), **how)
    _report_training(name, result, as_json)


def _own_data(
    spec: ModelSpec, path: str | None, text: str | None, label: str | None, where: Mapping[str, Any], **how: Any
) -> Any:
    """Return the data at `path`, None where there is none; refuse options that would have no effect."""
    from kerazoo.tasks import task_of

    if path == "":
        raise InputError("--data is empty; name a folder of pictures, a CSV of texts or a text")
    columns = {name: value for name, value in (("text", text), ("label", label)) if value}
    if columns and (path is None or Path(path).is_dir()):
        raise InputError("--text-column and --label-column are for a CSV; name one with --data")
    other = where["data_dir"] or (where["source"] if where["source"] != "auto" else None)
    if path is not None and other is not None:
        raise InputError(f"--data {path} and {other}, which is of the model's own data, exclude each other; give one")
    return None if path is None else task_of(spec).read(Path(path), **columns, **how)


@click.command(
    "pretrain",
    params=[
        click.Argument(["names"], metavar="NAME...", nargs=-1, required=True, shell_complete=complete_names),
        path_option("--out", "Directory for the weights and their manifest.", also=["out_dir"], default="weights"),
        DATA_DIR,
        JSON,
    ],
)
def pretrain(names: tuple[str, ...], out_dir: str, data_dir: str | None, as_json: bool) -> None:
    """Train the packaged weights anew on the real data."""
    from kerazoo.pretraining.run import check
    from kerazoo.pretraining.run import pretrain as train_weights

    check(names, Path(out_dir))  # all of them, before hours of training
    entries = [train_weights(name, out_dir, data_dir=data_dir, say=tell) for name in names]
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
    say(f"{result.seconds:.1f} s of training on {data}; the run is in {result.run_dir}")
