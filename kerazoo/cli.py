"""The command line: arguments, one call, its result printed.

Results go to standard output, everything else to standard error. Exit codes: 0 done, 1 something failed, 2 the
input was wrong, 130 interrupted.
"""

from __future__ import annotations

import os
import random
import sys
import traceback
import warnings
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

import kerazoo
from kerazoo import lazy
from kerazoo.errors import InputError, KerazooError
from kerazoo.files import to_json
from kerazoo.options import parse_assignments
from kerazoo.quiet import start_tensorflow

app = typer.Typer(
    name="kerazoo",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
out = Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else 1000)  # piped: a row, a line
err = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)

Name = Annotated[str, typer.Argument(help="A model's name; `kerazoo list` prints them.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
DataDir = Annotated[str | None, typer.Option(help="Directory in TFDS layout (default: TFDS_DATA_DIR, or TFDS's own).")]
Source = Annotated[str, typer.Option(help="auto, tfds (the real data) or sample (the embedded stand-in).")]
RunDir = Annotated[str | None, typer.Option(help="Directory for the run's files (default: runs/NAME/DATE-TIME).")]
Set = Annotated[
    list[str] | None, typer.Option("--set", metavar="FIELD=VALUE", help="Set an option; `show` lists them.")
]
Epochs = Annotated[int | None, typer.Option(help="Passes over the training data (default: the recipe's).")]
BatchSize = Annotated[int | None, typer.Option(help="Examples a step (default: the recipe's).")]
Seed = Annotated[int, typer.Option(help="Seed of weights, order and dropout.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace the run that the run directory holds.")]
ModelFileOption = typer.Option("--model", help="A .keras file, such as model.keras in a run directory.")
ModelFile = Annotated[str, ModelFileOption]
Split = Annotated[float | None, typer.Option(help="Validate on this fraction of the training split.")]
Ledger = Annotated[str | None, typer.Option(help="Directory of TOML files in place of the packaged ledger.")]
Record = Annotated[str | None, typer.Option(help="Directory of rows in place of the packaged record.")]
Stop = Annotated[int | None, typer.Option(help="Stop after so many epochs without a better validation loss.")]


@app.callback(invoke_without_command=True)
def _version(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    """Small documented Keras models: build, train and check them."""
    if version:
        out.print(f"kerazoo {kerazoo.__version__}")


def _print_json(document: Any) -> None:
    out.file.write(to_json(document))


def _run_directory(name: str, given: str | None, resume: bool = False) -> Path:
    from kerazoo.training.run_directory import default_run_directory

    if resume and given is None:
        raise InputError("--resume needs --run-dir, the directory of the run to go on with")
    if given == "":
        raise InputError("--run-dir is an empty text; name a directory")
    return Path(given) if given is not None else default_run_directory(name)


@app.command("list")
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
        _print_json([tables.model_record(one) for one in specs])
    else:
        out.print(tables.model_table(specs))


@app.command()
def show(name: Name, as_json: Json = False) -> None:
    """Show what is known of a model: source, inputs, outputs, recipe, options, and what was measured."""
    from kerazoo.data import data_options
    from kerazoo.options import RECIPE_OPTIONS
    from kerazoo.report import cards, tables
    from kerazoo.report.contents import gather

    spec = kerazoo.spec(name)
    card = cards.card_of(gather(), spec)
    data_only = {key: value for key, value in data_options(spec).items() if key not in spec.defaults}
    options = {"model options": spec.defaults, "data options": data_only}
    if as_json:
        _print_json({**tables.model_record(spec), "options": {**spec.defaults, **data_only}, **cards.card_record(card)})
    else:
        recipe = {name: getattr(spec.recipe, name) for name in RECIPE_OPTIONS}
        tables.show_model(out, spec, {**options, "recipe options": recipe})
        cards.show_card(out, card)


@app.command()
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
        run_dir=_run_directory(name, run_dir, resume),
        resume=resume,
        overwrite=overwrite,
        precision=precision,
        validation_split=validation_split,
        early_stopping=early_stopping,
        tensorboard=tensorboard,
        **overrides,
    )
    _report_training(name, seed, result, as_json)


@app.command()
def evaluate(
    name: Name,
    model: Annotated[str | None, ModelFileOption] = None,
    data_dir: DataDir = None,
    source: Source = "auto",
    assignments: Set = None,
    as_json: Json = False,
) -> None:
    """Measure a trained model, or the pretrained weights, on the test split."""
    from kerazoo.data import data_options

    spec = kerazoo.spec(name)
    options = parse_assignments(assignments or [], data_options(spec), f"the data of '{name}'")
    if model is not None:
        _must_exist(model)
    metrics = kerazoo.evaluate(name, model or "pretrained", data_dir=data_dir, source=source, **options)
    if as_json:
        _print_json({"model": name, "file": model, "metrics": metrics})
    else:
        from kerazoo.report import tables

        tables.show_metrics(out, metrics)


@app.command("fine-tune")
def fine_tune(
    name: Name,
    model: ModelFile,
    epochs: Annotated[int | None, typer.Option(help="Further epochs (default: the document's, or 5).")] = None,
    trainable_layers: Annotated[int | None, typer.Option(help="Train only the last so many layers.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="A new learning rate.")] = None,
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
    """Train a trained model further, all of it or its last layers."""
    from kerazoo.data import load_for
    from kerazoo.model_file import load_model, origin_of

    spec = kerazoo.spec(name)
    _must_exist(model)
    if run_dir is not None and Path(run_dir).resolve() == Path(model).resolve().parent:
        raise InputError(f"'{run_dir}' is where the model to fine-tune lies; name another run directory")
    trained = load_model(model, name)
    result = kerazoo.fine_tune(
        trained,
        load_for(spec, origin_of(trained).options, data_dir, source),
        epochs=(spec.recipe.fine_tune_epochs or 5) if epochs is None else epochs,
        trainable_layers=trainable_layers,
        learning_rate=learning_rate,
        batch_size=spec.recipe.batch_size if batch_size is None else batch_size,
        seed=seed,
        run_dir=_run_directory(name, run_dir),
        overwrite=overwrite,
        validation_split=validation_split,
        early_stopping=early_stopping,
    )
    _report_training(name, seed, result, as_json)


@app.command()
def claims(
    name: Annotated[str | None, typer.Argument(help="A model, a document (001) or a claim (001/program).")] = None,
    ledger: Ledger = None,
    record: Record = None,
    as_json: Json = False,
) -> None:
    """Show what the documents claim, what was measured, and the verdicts."""
    from kerazoo.report import verdicts

    found = kerazoo.claims(name, ledger=ledger, record=record)
    if as_json:
        _print_json(verdicts.records(found))
    else:
        verdicts.show_claims(out, found)


@app.command()
def reproduce(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Models or documents.")] = None,
    claim_ids: Annotated[list[str] | None, typer.Option("--claims", metavar="ID", help="Claims (repeatable).")] = None,
    seeds: Annotated[int | None, typer.Option(help="Seeds a training (default: each experiment's own).")] = None,
    source: Source = "auto",
    data_dir: DataDir = None,
    quick: Annotated[bool, typer.Option("--quick", help="One seed; exact checks and cheap runs only.")] = False,
    verify: Annotated[bool, typer.Option("--verify", help="Measure a sample of the record again and compare.")] = False,
    out_dir: Annotated[str | None, typer.Option("--out", help="Directory of the rows (runs/reproduce).")] = None,
    ledger: Ledger = None,
    record: Record = None,
    as_json: Json = False,
) -> int:
    """Measure the documents' claims anew; what was interrupted goes on."""
    from kerazoo.report import verdicts

    found = kerazoo.reproduce(
        names,
        claims=claim_ids,
        seeds=seeds,
        source=source,
        data_dir=data_dir,
        quick=quick,
        verify=verify,
        out=out_dir,
        ledger=ledger,
        record=record,
    )
    if as_json:
        _print_json(verdicts.reproduction_record(found))
    else:
        verdicts.show_reproduction(out, found)
    return 0 if found.ok else 1


@app.command()
def report(
    out_dir: Annotated[str, typer.Option("--out", help="Directory to write to.")] = "report",
    ledger: Ledger = None,
    record: Record = None,
    as_json: Json = False,
) -> None:
    """Write the verdicts as a page, report.html, and as Markdown, with a card for each model."""
    from kerazoo.report import write_report

    files = [str(path) for path in write_report(out_dir, ledger=ledger, record=record)]
    if as_json:
        _print_json({"files": files})
    else:
        out.print("\n".join(files))


@app.command()
def predict(
    name: Name,
    inputs: Annotated[list[str], typer.Argument(metavar="INPUT...", help="Texts, pictures, files; - reads stdin.")],
    model: Annotated[str | None, ModelFileOption] = None,
    html: Annotated[str | None, typer.Option(metavar="FILE", help="Also write a page that shows why.")] = None,
    as_json: Json = False,
) -> None:
    """Classify texts or pictures, a file of one text a line, or a directory of pictures."""
    from kerazoo.inference.inputs import from_arguments
    from kerazoo.inference.predicting import stream
    from kerazoo.report import predictions, predictions_html

    if model is not None:
        _must_exist(model)
    given = from_arguments(kerazoo.spec(name).dataset, inputs, sys.stdin.buffer)
    found = stream(name, given, model=model, attention=html is not None)
    with predictions_html.written(html, name, found) if html is not None else nullcontext(found) as found:
        if as_json:
            predictions.write_json(out.file, found)
        else:
            predictions.show_predictions(out, found)


@app.command()
def pretrain(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Models that have pretrained weights.")],
    out_dir: Annotated[str, typer.Option("--out", help="Directory of the weights and their manifest.")] = "weights",
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Train the weights that come with the package from nothing, on the real data."""
    from kerazoo.pretraining.run import pretrain as train_weights

    entries = [train_weights(name, out_dir, data_dir=data_dir, say=err.print) for name in names]
    if as_json:
        _print_json(dict(zip(names, entries, strict=True)))


@app.command()
def generate(
    name: Annotated[str, typer.Argument(help="A text generator's name.")] = "textgen_lstm",
    prompt: Annotated[str, typer.Option(help="The text to go on with.")] = "",
    length: Annotated[int, typer.Option(help="Characters to generate (words, for a word model).")] = 200,
    temperature: Annotated[float, typer.Option(help="Less is more careful; 0 takes the likeliest each time.")] = 1.0,
    top_k: Annotated[int | None, typer.Option(help="Draw from the K likeliest characters alone.")] = None,
    top_p: Annotated[float | None, typer.Option(help="Draw from the likeliest of this probability alone.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the draws (default: another one each time).")] = None,
    stop: Annotated[list[str] | None, typer.Option(metavar="TEXT", help="End before this text (repeatable).")] = None,
    samples: Annotated[int, typer.Option(help="How many texts.")] = 1,
    model: Annotated[str | None, ModelFileOption] = None,
    as_json: Json = False,
) -> None:
    """Write text with a trained generator, as it comes; several texts are parted by a line of dashes."""
    from kerazoo.inference.generating import check_settings, generate, stream

    settings: dict[str, Any] = {"length": length, "temperature": temperature, "top_k": top_k, "top_p": top_p}
    settings |= {"seed": random.randrange(2**32) if seed is None else seed, "stop": stop or None}
    check_settings(samples=samples, **settings)  # before TensorFlow's seconds of import
    if model is not None:
        _must_exist(model)
    loaded = name if model is None else kerazoo.load_model(model, name)
    if samples == 1 and not as_json:
        for piece in stream(loaded, prompt, **settings):
            out.file.write(piece)
            out.file.flush()
        out.file.write("\n")
        return
    texts = generate(loaded, prompt, samples=samples, **settings)
    if as_json:
        _print_json({"model": name, "file": model, "prompt": prompt, "text": texts[0], "texts": texts, **settings})
    else:
        out.file.write("\n---\n".join(texts) + "\n")


@app.command()
def doctor(as_json: Json = False) -> None:
    """Show versions, devices, whether cuDNN would serve an LSTM, and where the data is."""
    from kerazoo.report import tables
    from kerazoo.report.doctor import examine, readable

    found = examine()
    if as_json:
        _print_json(found)
    else:
        tables.show_pairs(out, readable(found))


def _report_training(name: str, seed: int, result: Any, as_json: bool) -> None:
    if as_json:
        epochs = len(next(iter(result.history.values()), []))
        fields = ("metrics", "history", "seconds", "environment", "data")
        document = {"model": name, "seed": seed, "epochs": epochs, "run_dir": str(result.run_dir)}
        _print_json({**document, **{field: getattr(result, field) for field in fields}})
        return
    from kerazoo.report import tables

    tables.show_metrics(out, result.metrics)
    data = f"{result.data['name']} ({result.data['source']})"
    out.print(f"{result.seconds:.1f} s of training on {data}; the run is in {result.run_dir}")


def _must_exist(model_file: str) -> None:
    if not Path(model_file).is_file():  # said now, not after TensorFlow's seconds of import
        raise kerazoo.ModelFileError(f"'{model_file}' is not a file; name a .keras file")


def _show_warning(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
    if issubclass(category, (UserWarning, RuntimeWarning)):
        err.print(f"kerazoo: {message}", style="bold yellow")


def _explain(error: BaseException) -> tuple[str, int]:
    """Return the line and the exit code for `error`."""
    if isinstance(error, KeyboardInterrupt):
        return "interrupted", 130
    if hasattr(error, "format_message"):  # typer's own errors: an option or value that it cannot parse
        message = error.format_message()
        return f"{message}{'' if message.endswith(('.', '?')) else '.'} See kerazoo --help.", 2
    if isinstance(error, KerazooError):
        return str(error), 2 if isinstance(error, InputError) else 1
    if isinstance(error, OSError):
        return f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}", 1
    return f"{type(error).__name__}: {error} (--debug shows where)", 1


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code; `--debug` shows the traceback of an error."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    debug = "--debug" in given
    given = [one for one in given if one != "--debug"] or ["--help"]
    warnings.showwarning = _show_warning
    lazy.before_first_use.append(start_tensorflow)
    try:
        code = app(given, prog_name="kerazoo", standalone_mode=False)
        if code != 130:
            return code if isinstance(code, int) else 0
        raise KeyboardInterrupt  # which typer has made a code of
    except BrokenPipeError:  # the reader has gone, e.g. `kerazoo list | head -1`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (KeyboardInterrupt, Exception) as error:
        if debug:
            traceback.print_exc()
        line, code = _explain(error)
        err.print(f"kerazoo: {'' if code == 130 else 'error: '}{' '.join(line.split())}")
        return code


if __name__ == "__main__":
    sys.exit(main())
