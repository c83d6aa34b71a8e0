"""A made-up record of the packaged study's experiments, with texts that must not become markup."""

import base64

import pytest

from kerazoo.ledger.record import append_row
from kerazoo.ledger.study import load_study
from kerazoo.report.contents import gather
from kerazoo.report.page import pages

HOSTILE = "<script>alert('x')</script> & <img src=http://x.test/y.png>"
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()
CPU = {
    "cpu": "test processor",
    "cores": 2,
    "gpus": [],
    "backend": "tensorflow",
    "precision": "float32",
    "versions": {"tensorflow": "2.21", "keras": "3.13"},
}


def history(seed, epochs, metrics=("loss", "accuracy", "val_loss", "val_accuracy")):
    return {name: [0.5 + 0.01 * epoch + 0.001 * seed for epoch in range(epochs)] for name in metrics}


def imdb(seed):
    return {
        "history": history(seed, 10),
        "fine_tuning": history(seed, 5),
        "fine_tuning_gain": {"accuracy": -0.01 - 0.001 * seed},
    }


def digits(seed):
    matrix = [[90 if row == column else 1 for column in range(10)] for row in range(10)]
    hardest = [{"index": 7, "label": 3, "predicted": 5, "probability": 0.01, "confidence": 0.9, "png": PNG}]
    evidence = {"confusion_matrix": matrix, "hardest": hardest}
    values = {"accuracy": 0.97 + 0.001 * seed, "history": history(seed, 3, ("loss", "accuracy"))}
    return {**values, "evidence": evidence} if seed == 0 else values


def text(seed):
    return {"sample": HOSTILE, "word_share": 0.9, "perplexity": 4.5, "loss": 1.5}


def attention(seed):
    weights = [[0.2, 0.7, 0.1], [1 / 3, 1 / 3, 1 / 3]]
    figure = {"weights": weights, "rows": ["q1=1", "q2=0"], "columns": ["k1=1", "k2=2", "k3=0"]}
    return {"worked_example": {"true": False, "by_formula": figure, "by_output": figure}}


def program(seed):
    repair = {"call": HOSTILE, "error": HOSTILE, "what": "leave it out", "why": HOSTILE}
    return {"runs": False, "repairs": [repair], "note": HOSTILE}


MEASURED = {
    "imdb_lstm_training": (imdb, 3),
    "mnist_mlp_training": (digits, 2),
    "textgen_lstm_training": (text, 2),
    "attention": (attention, 1),
    "program_001": (program, 1),
}


@pytest.fixture(scope="session")
def write_record(tmp_path_factory):
    """Return a function that writes a record of `MEASURED` and returns its directory."""

    known = load_study().experiments

    def write(**measured):
        folder = tmp_path_factory.mktemp("record")
        for name, (values, seeds) in (measured or MEASURED).items():
            for seed in range(seeds):
                row = {
                    "experiment": name,
                    "revision": known[name].revision,
                    "seed": seed,
                    "values": values(seed),
                    "source": "none",
                    "data": {},
                    "kerazoo": "0.0",
                    "environment": CPU,
                    "seconds": 1.0,
                    "measured_at": "2025-01-01T00:00:00+00:00",
                }
                append_row(folder, row)
        return folder

    return write


@pytest.fixture(scope="session")
def contents(write_record):
    """The packaged study judged by the made-up record."""
    return gather(record=write_record())


@pytest.fixture(scope="session")
def html_pages(contents):
    """The pages of `contents`, by the names of their files."""
    return pages(contents)


@pytest.fixture(scope="session")
def html(html_pages):
    """The page of `contents` in English."""
    return html_pages["report.html"]
