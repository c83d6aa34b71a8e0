"""A study of the tests' own; nothing here needs TensorFlow."""

import json
from types import ModuleType

import pytest
from fakes import CPU, make_claim

import kerazoo
from kerazoo.ledger import runner


def _toml(value):
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(name)} = {_toml(one)}" for name, one in value.items()) + " }"
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
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
    monkeypatch.setattr("kerazoo.ledger.study.modules_of", lambda folder, name: [module])
    monkeypatch.setattr(runner, "environment", lambda: CPU)

    def declare(name, **fields):
        def enter(measure):
            vars(module)[name] = kerazoo.experiment(name, **fields)(measure)
            return measure

        return enter

    return declare


@pytest.fixture
def study(write_study):
    return write_study(
        make_claim(),
        make_claim(id="009/exact", experiment="exact", rule="equal", documented=3, tolerance=0, value="answer.count"),
        make_claim(id="009/data", experiment="data", rule="unstated", documented=None),
    )


@pytest.fixture
def calls(experiment):
    """A catalog of three experiments; returns the list of (experiment, setting) that were measured."""
    made = []

    @experiment("probe", seeds=3, minutes=5)
    def probe(setting):
        made.append(("probe", setting))
        return {"number": [0.839, 0.843, 0.835, 0.84][setting.seed]}

    @experiment("exact", quick=True)
    def exact(setting):
        made.append(("exact", setting))
        return {"answer": {"count": 3}}

    @experiment("data", needs=("mnist",), seeds=2, quick=True)
    def data(setting):
        made.append(("data", setting))
        return {"number": 0.5}

    return made


@pytest.fixture
def no_data(monkeypatch):
    def real_data(name, data_dir):
        raise kerazoo.UnavailableError(f"{name} is nowhere")

    monkeypatch.setattr(runner, "real_data", real_data)


@pytest.fixture
def reproduce(study, tmp_path):
    def call(*arguments, **options):
        where = {} if options.get("verify") else {"out": tmp_path / "out"}
        options = {"study": study, **where, "verbose": False, **options}
        return kerazoo.reproduce(*arguments, **options)

    return call
