"""Commands that train: train, evaluate, fine-tune, pretrain."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

import kerazoo
from kerazoo.commands.common import (
    BatchSize,
    DataDir,
    Epochs,
    Json,
    ModelFileOption,
    Name,
    Overwrite,
    RunDir,
    Seed,
    Set,
    Source,
    Split,
    Stop,
    err,
    must_exist,
    out,
    print_json,
    run_directory,
)
from kerazoo.errors import InputError
from kerazoo.options import parse_assignments
from kerazoo.schema import ModelSpec


def train(
    name: Name,
    epochs: Epochs = None,
    batch_size: BatchSize = None,
    seed: Seed = 0,
    data_dir: DataDir = None,
    source: Source = "auto",
    run_dir: RunDir = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in the run directory.")] = False,
    overwrite: Overwrite = False,
    precision: Annotated[str | None, typer.Option(help="Keras dtype policy, e.g. mixed_bfloat16.")] = None,
    validation_split: Split = None,
    early_stopping: Stop = None,
    tensorboard: Annotated[bool, typer.Option("--tensorboard", help="Also write TensorBoard's event files.")] = False,
    assignments: Set = None,
    as_json: Json = False,
) -> None:
    """Train a model by its document's recipe."""
    from kerazoo.training.train import train_options

    overrides = parse_assignments(assignments or [], train_options(kerazoo.spec(name)), f"model '{name}'")
    result = kerazoo.train(
        name,
        epochs=epochs,
        batch_size=batch_size,
        seed=seed,
        data_dir=data_dir,
        source=source,
        run_dir=run_directory(name, run_dir, resume),
        resume=resume,
        overwrite=overwrite,
        precision=precision,
        validation_split=validation_split,
        early_stopping=early_stopping,
        tensorboard=tensorboard,
        **overrides,
    )
    _report_training(name, seed, result, as_json)


def evaluate(
    name: Name,
    model: Annotated[str | None, ModelFileOption] = None,
    data_dir: DataDir = None,
    source: Source = "auto",
    assignments: Set = None,
    as_json: Json = False,
) -> None:
    """Measure a trained model, or the pretrained weights, on the test split."""
    from kerazoo.tasks import task_of

    spec = kerazoo.spec(name)
    options = parse_assignments(assignments or [], task_of(spec).options(spec), f"the data of '{name}'")
    if model is not None:
        must_exist(model)
    metrics = kerazoo.evaluate(name, model or "pretrained", data_dir=data_dir, source=source, **options)
    if as_json:
        print_json({"model": name, "file": model, "metrics": metrics})
    else:
        from kerazoo.report import tables

        tables.show_metrics(out, metrics)


def fine_tune(
    name: Name,
    model: Annotated[str, typer.Option(help="A .keras file, or 'pretrained' for the package's own weights.")],
    data: Annotated[str | None, typer.Option(help="Your own: a folder of pictures a class, or a CSV of texts.")] = None,
    text_column: Annotated[str | None, typer.Option(help="Column of the texts (default: text).")] = None,
    label_column: Annotated[str | None, typer.Option(help="Column of the classes (default: label).")] = None,
    epochs: Annotated[int | None, typer.Option(help="Further epochs (default: the document's, or 5).")] = None,
    num_classes: Annotated[int | None, typer.Option(help="Tell so many classes apart, by a new last layer.")] = None,
    trainable_layers: Annotated[int | None, typer.Option(help="Train only the last so many layers.")] = None,
    unfreeze_every: Annotated[int | None, typer.Option(help="Begin with the last layer, add one each so many.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="A new learning rate.")] = None,
    layer_decay: Annotated[float | None, typer.Option(help="Learning rate of a layer by that of the next.")] = None,
    weight_decay: Annotated[float | None, typer.Option(help="Decoupled weight decay of the optimizer.")] = None,
    l1: Annotated[float, typer.Option(help="Penalty on the kernels' absolute values.")] = 0.0,
    l2: Annotated[float, typer.Option(help="Penalty on the kernels' squares.")] = 0.0,
    batch_size: BatchSize = None,
    seed: Seed = 0,
    data_dir: DataDir = None,
    source: Source = "auto",
    run_dir: RunDir = None,
    overwrite: Overwrite = False,
    validation_split: Split = None,
    early_stopping: Stop = None,
    as_json: Json = False,
) -> None:
    """Train a trained model further: on your own data, for other classes, all of it or its last layers."""
    from kerazoo.data.prepared import check_source
    from kerazoo.factory import PRETRAINED

    spec = kerazoo.spec(name)
    if model != PRETRAINED:
        must_exist(model)
        if run_dir is not None and Path(run_dir).resolve() == Path(model).resolve().parent:
            raise InputError(f"'{run_dir}' is where the model to fine-tune lies; name another run directory")
    check_source(source)
    own = _own_data(spec, data, text_column, label_column, data_dir or (source if source != "auto" else None))
    trained = kerazoo.build(name, weights=model) if model == PRETRAINED else kerazoo.load_model(model, name)
    result = kerazoo.fine_tune(
        trained,
        own,
        epochs=epochs,
        trainable_layers=trainable_layers,
        learning_rate=learning_rate,
        batch_size=batch_size,
        seed=seed,
        data_dir=data_dir,
        source=source,
        run_dir=run_directory(name, run_dir),
        overwrite=overwrite,
        validation_split=validation_split,
        early_stopping=early_stopping,
        num_classes=num_classes,
        unfreeze_every=unfreeze_every,
        layer_decay=layer_decay,
        weight_decay=weight_decay,
        l1=l1,
        l2=l2,
    )
    _report_training(name, seed, result, as_json)


def _own_data(spec: ModelSpec, path: str | None, text: str | None, label: str | None, other: str | None) -> Any:
    """Return the data at `path`, None where there is none; refuse options that would have no effect."""
    from kerazoo.tasks import task_of

    if path == "":
        raise InputError("--data is empty; name a folder of pictures or a CSV of texts")
    columns = {name: value for name, value in (("text", text), ("label", label)) if value}
    if columns and (path is None or Path(path).is_dir()):
        raise InputError("--text-column and --label-column are for a CSV; name one with --data")
    if path is not None and other is not None:
        raise InputError(f"--data {path} and {other}, which is of the model's own data, exclude each other; give one")
    return None if path is None else task_of(spec).read(Path(path), **columns)


def pretrain(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Models that have pretrained weights.")],
    out_dir: Annotated[str, typer.Option("--out", help="Directory of the weights and their manifest.")] = "weights",
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Train the weights that come with the package from nothing, on the real data."""
    from kerazoo.pretraining.run import check
    from kerazoo.pretraining.run import pretrain as train_weights

    check(names, Path(out_dir))  # all of them, before hours of training
    entries = [train_weights(name, out_dir, data_dir=data_dir, say=err.print) for name in names]
    if as_json:
        print_json(dict(zip(names, entries, strict=True)))


def _report_training(name: str, seed: int, result: Any, as_json: bool) -> None:
    from kerazoo.model_file import origin_of

    if as_json:
        epochs = len(next(iter(result.history.values()), []))
        fields = ("metrics", "history", "seconds", "environment", "data")
        document = {"model": name, "seed": seed, "epochs": epochs, "run_dir": str(result.run_dir)}
        if classes := origin_of(result.model).classes:
            document["classes"] = classes
        print_json({**document, **{field: getattr(result, field) for field in fields}})
        return
    from kerazoo.report import tables

    tables.show_metrics(out, result.metrics)
    data = f"{result.data['name']} ({result.data['source']})"
    out.print(f"{result.seconds:.1f} s of training on {data}; the run is in {result.run_dir}")
