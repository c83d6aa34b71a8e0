"""A study of the tests' own; nothing here needs TensorFlow."""

import json
from types import ModuleType

import pytest
from fakes import CPU

import kerazoo
from kerazoo.ledger import runner, study


def _toml(value):
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(name)} = {_toml(one)}" for name, one in value.items()) + " }"
    return json.dumps(value)


@pytest.fixture
def write_study(tmp_path):
    """Return a function that writes a study of claims (dictionaries) and returns its directory."""

    def write(*claims, heading='document = "009"\ntitle = "A test"\n', file="009.toml", experiments=""):
        tables = []
        for claim in claims:
            lines = [f"{name} = {_toml(value)}" for name, value in claim.items() if value is not None]
            tables.append("[[claim]]\n" + "\n".join(lines) + "\n")
        folder = tmp_path / "study"
        folder.mkdir(exist_ok=True)
        (folder / file).write_text(heading + "\n".join(tables), encoding="utf-8")
        if experiments:
            (folder / "experiments.py").write_text(experiments, encoding="utf-8")
        return folder

    return write


@pytest.fixture
def experiment(monkeypatch):
    """Return a decorator as `kerazoo.experiment`, for the experiments of every study; the environment is made up."""
    module = ModuleType("made_up")
    monkeypatch.setattr(study, "modules_of", lambda folder, name: [module])
    monkeypatch.setattr(runner, "environment", lambda: CPU)

    def declare(name, **fields):
        def enter(measure):
            vars(module)[name] = kerazoo.experiment(name, **fields)(measure)
            return measure

        return enter

    return declare
