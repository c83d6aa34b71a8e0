"""`kerazoo push`: a trained model to the Hugging Face Hub, in every form that others may want."""

from __future__ import annotations

import json
import math
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kerazoo import weights
from kerazoo.errors import InputError, UnavailableError, first_line
from kerazoo.exporting.api import export
from kerazoo.exporting.facts import MEMBER, as_json, facts_of
from kerazoo.hub import FILE, LOGGER
from kerazoo.lazy import keras, require
from kerazoo.model_file import load_model, save_model
from kerazoo.publishing.card import Evaluation, card
from kerazoo.quiet import without_log
from kerazoo.trained import Trained, trained
from kerazoo.training.run_directory import METRICS, MODEL, read_config

_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


def push(what: str, repository: str, *, private: bool = False, license_id: str | None = None) -> str:
    """Write a model's repository on the Hub, and return its address.

    The repository is made where it is not there. It gets `model.keras`, `model.safetensors`, `model.onnx`,
    `kerazoo.json`, and a card with the results on the test split in the Hub's form.

    Args:
        what: a name of the zoo, for its pretrained weights, or the directory of a run.
        repository: "user/name"; who may write there is known to huggingface_hub (`hf auth login`, or HF_TOKEN).
        private: make a new repository private.
        license_id: the licence of the weights as the Hub abbreviates it, e.g. "apache-2.0".

    Raises:
        InputError: there is no such model or run, or the repository has another form.
        UnavailableError: a package is missing, or the Hub cannot be reached or refuses.
    """
    require("push", {"huggingface_hub": "'kerazoo[hub]'", "safetensors": "'kerazoo[hub]'"})
    if not _REPOSITORY.fullmatch(repository):
        raise InputError(f"'{repository}' is no repository: wanted user/name")
    chosen, evaluation = _found(what)
    with tempfile.TemporaryDirectory() as directory:
        write_repository(Path(directory), chosen, repository, evaluation, license_id)
        return _send(Path(directory), chosen.name, repository, private)


def _found(what: str) -> tuple[Trained[keras.Model], Evaluation | None]:
    """Return the model that `what` names, and what was measured of it."""
    folder = Path(what)
    if not folder.is_dir():
        known = weights.manifest().get(what, {})
        return trained(what), _evaluation(known.get("data", {}), known.get("test", {}))
    config = read_config(folder)
    model = load_model(folder / MODEL, config["model"])
    try:
        metrics = json.loads((folder / METRICS).read_bytes())
    except (OSError, ValueError):
        raise InputError(
            f"the run in '{what}' is not finished: it has no {METRICS}; go on with it by --resume"
        ) from None
    return trained(model), _evaluation(config.get("data", {}), metrics)


def _evaluation(data: Mapping[str, Any], metrics: Mapping[str, Any]) -> Evaluation | None:
    measured = {name: metrics[name] for name in ("accuracy", "loss") if isinstance(metrics.get(name), (int, float))}
    measured = {name: value for name, value in measured.items() if math.isfinite(value)}
    return Evaluation(data["name"], str(data["version"]), data["source"], measured) if data and measured else None


def write_repository(
    folder: Path,
    chosen: Trained[keras.Model],
    repository: str,
    evaluation: Evaluation | None,
    license_id: str | None = None,
) -> None:
    """Write the files of a repository to `folder`."""
    from safetensors.numpy import save_file

    model = chosen.load()
    save_model(model, folder / FILE)
    save_file({one.path: keras.ops.convert_to_numpy(one) for one in model.weights}, folder / "model.safetensors")
    export(model, folder / "model.onnx", format="onnx")
    (folder / MEMBER).write_text(as_json(facts_of(chosen, model)), encoding="utf-8")
    (folder / "README.md").write_text(card(chosen, repository, evaluation, license_id), encoding="utf-8")


def _send(folder: Path, name: str, repository: str, private: bool) -> str:
    from huggingface_hub import HfApi, errors

    hub = HfApi()
    try:
        with without_log(LOGGER):
            hub.create_repo(repository, private=private, exist_ok=True)
            hub.upload_folder(repo_id=repository, folder_path=folder, commit_message=f"{name}, written by kerazoo")
    except errors.HfHubHTTPError as error:
        told = f"'{repository}' cannot be written: {first_line(error)}"
        raise UnavailableError(f"{told}; is HF_TOKEN one that may write there?") from error
    except Exception as error:  # of whichever HTTP client it uses
        told = f"the Hub cannot be reached at {hub.endpoint} ({first_line(error)})"
        raise UnavailableError(f"{told}; '{repository}' was not written") from error
    return f"{hub.endpoint}/{repository}"
