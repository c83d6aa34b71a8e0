"""A ledger and a catalog of the tests' own; nothing here needs TensorFlow."""

import json

import pytest
from fakes import CPU

from kerazoo.ledger import catalog, measuring


def _toml(value):
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(name)} = {json.dumps(one)}" for name, one in value.items()) + " }"
    return json.dumps(value)


@pytest.fixture
def write_ledger(tmp_path):
    """Return a function that writes a ledger of claims (dictionaries) and returns its directory."""

    def write(*claims, heading='document = "009"\ntitle = "A test"\n'):
        tables = []
        for claim in claims:
            lines = [f"{name} = {_toml(value)}" for name, value in claim.items() if value is not None]
            tables.append("[[claim]]\n" + "\n".join(lines) + "\n")
        folder = tmp_path / "ledger"
        folder.mkdir(exist_ok=True)
        (folder / "009.toml").write_text(heading + "\n".join(tables), encoding="utf-8")
        return folder

    return write


@pytest.fixture
def experiment(monkeypatch):
    """Return the decorator `experiment` of a catalog that is empty at first; the environment is made up."""
    catalog.experiments()  # the package's own go into the package's own catalog
    monkeypatch.setattr(catalog, "_catalog", {})
    monkeypatch.setattr(measuring, "environment", lambda: CPU)
    return catalog.experiment
