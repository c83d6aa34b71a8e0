"""The card of a model on the Hub: its YAML, with the results in the Hub's form, and how to use the files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kerazoo.hub import SCHEME
from kerazoo.report.markdown import escaped, table
from kerazoo.trained import Trained

_NAMES = {"accuracy": "Accuracy", "loss": "Loss"}


@dataclass(frozen=True)
class Evaluation:
    """What was measured on the test split of which data."""

    data: str
    version: str
    source: str
    metrics: Mapping[str, float] = field(default_factory=dict)

    @property
    def shown(self) -> str:
        """The data's name; the embedded sample does not pass for the real data."""
        return self.data if self.source == "tfds" else f"{self.data} ({self.source})"


def card(chosen: Trained[Any], repository: str, evaluation: Evaluation | None, license_id: str | None) -> str:
    """Return the `README.md` of `repository`."""
    from huggingface_hub import EvalResult, ModelCardData

    results = [
        EvalResult(
            task_type=chosen.task.pipeline or "other",
            dataset_type=measured.data,
            dataset_name=measured.shown,
            dataset_split="test",
            dataset_revision=measured.version,
            metric_type=name,
            metric_name=_NAMES.get(name, name),
            metric_value=value,
        )
        for measured in ([evaluation] if evaluation else [])
        for name, value in measured.metrics.items()
    ]
    data = ModelCardData(
        license=license_id,
        library_name="keras",
        tags=["kerazoo", "keras", "onnx"],
        pipeline_tag=chosen.task.pipeline or None,
        datasets=[evaluation.data] if evaluation and evaluation.source == "tfds" else None,
        model_name=chosen.name,
        eval_results=results or None,
    )
    parts = [
        f"---\n{data.to_yaml()}\n---",
        f"# {chosen.name}",
        _about(chosen),
        f"## Use\n\n{_use(chosen, repository)}",
        _inputs(chosen),
        _results(evaluation),
        f"## Files\n\n{_FILES}",
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


_FILES = table(
    ("file", "for"),
    [
        ("`model.keras`", "Keras, with what kerazoo knows of the model"),
        ("`model.safetensors`", "its weights alone, by the paths of Keras's variables"),
        ("`model.onnx`", "ONNX Runtime; classes, vocabulary and inputs are in its metadata"),
        ("`kerazoo.json`", "classes, vocabulary, options, inputs and outputs"),
    ],
)


def _about(chosen: Trained[Any]) -> str:
    if chosen.spec is None:
        return "A Keras model."
    return f"{escaped(chosen.spec.summary)} From {escaped(str(chosen.spec.source))}; a model of kerazoo's zoo."


def _use(chosen: Trained[Any], repository: str) -> str:
    name = chosen.name if chosen.spec else "NAME"
    address = f"{SCHEME}{repository}"
    if chosen.task.generates:
        call, command = (
            f'kerazoo.generate("{address}", "ROMEO:")',
            f'generate {name} --model {address} --prompt "ROMEO:"',
        )
    else:
        call, command = f'kerazoo.predict("{address}", inputs)', f"predict {name} INPUT --model {address}"
    python = f'```python\nimport kerazoo\n\nmodel = kerazoo.load_model("{address}")  # a keras.Model\n{call}\n```'
    return f"{python}\n\n```sh\nkerazoo {command}\n```"


def _inputs(chosen: Trained[Any]) -> str:
    if chosen.spec is None:
        return ""
    lines = [f"- input {escaped(str(one))}" for one in chosen.spec.inputs]
    lines += [f"- output {escaped(str(one))}" for one in chosen.spec.outputs]
    return "## Inputs and outputs\n\n" + "\n".join(lines)


def _results(evaluation: Evaluation | None) -> str:
    if evaluation is None:
        return ""
    rows = [(escaped(name), f"{value:.4f}") for name, value in evaluation.metrics.items()]
    told = f"On the test split of {escaped(evaluation.shown)} {escaped(evaluation.version)}:"
    return f"## Results\n\n{told}\n\n{table(('metric', 'value'), rows)}"
