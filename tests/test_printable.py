"""Nothing from outside reaches the terminal as a control character."""

import dataclasses
import json
import re

import pytest

import kerazoo
from kerazoo import registry
from kerazoo.cli import main
from kerazoo.files import to_json
from kerazoo.printable import printable
from kerazoo.report.predictions import show_predictions
from kerazoo.report.tables import Terminal, plain_table

HOSTILE = "a\x1b[31mb\x1b]0;title\x07\nc\x9bd\u202ee\udcff"
ESCAPED = r"a\x1b[31mb\x1b]0;title\x07\nc\x9bd\u202ee\udcff"
UNSAFE = re.compile("[^\n\x20-\x7e\xa0-\u2027\u202f-\u2065\u206a-\ud7ff\ue000-\U0010ffff]")


def test_control_characters_become_escapes_and_those_to_be_kept_stay():
    assert printable(HOSTILE) == ESCAPED
    assert printable("a\tb\nc\r", keep="\n\t") == "a\tb\nc\\r"


@pytest.mark.parametrize(
    "text", ["这部电影\u3000很好。", "naïve café", "مرحبا", "👩\u200d👩\u200d👧", r"C:\new", "[bold]:smile:"]
)
def test_other_texts_stay_as_they_are(text, capsys):
    assert printable(text) == text
    Terminal().print(text)
    assert capsys.readouterr().out == f"{text}\n"


def test_json_holds_every_character_and_prints_none_that_is_unsafe():
    text = to_json({"text": HOSTILE})
    assert json.loads(text) == {"text": HOSTILE}
    assert not UNSAFE.search(text)


@pytest.mark.parametrize(
    "arguments",
    [
        [HOSTILE],
        ["list", HOSTILE],
        ["show", HOSTILE],
        ["train", HOSTILE, "--debug"],
        ["train", "mnist_mlp", f"--{HOSTILE}"],
        ["train", "mnist_mlp", "--set", f"units={HOSTILE}"],
        ["train", "mnist_mlp", "--source", HOSTILE],
        ["train", "mnist_mlp", "--run-dir", HOSTILE, "--resume"],
        ["evaluate", "toy_mlp", "--model", HOSTILE],
        ["predict", "mnist_mlp", f"{HOSTILE}.png"],
        ["claims", HOSTILE],
    ],
)
def test_errors_show_escapes(arguments, capsys):
    assert main(arguments) == 2
    told = capsys.readouterr()
    assert r"\x1b[31m" in told.err
    assert not UNSAFE.search(told.out + told.err)
    assert "--debug" in arguments or told.err.count("\n") == 1


def test_warnings_show_escapes(capsys, monkeypatch):
    import warnings

    monkeypatch.setattr(kerazoo, "list_models", lambda *_: warnings.warn(HOSTILE, UserWarning, stacklevel=1) or [])
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        main(["list"])
    assert capsys.readouterr().err == f"kerazoo: {ESCAPED}\n"


def test_a_foreign_model_stays_in_its_row(capsys, monkeypatch):
    foreign = dataclasses.replace(kerazoo.spec("toy_mlp"), name=HOSTILE, summary=HOSTILE)
    monkeypatch.setitem(registry._specs, HOSTILE, foreign)
    assert main(["list"]) == 0
    output = capsys.readouterr().out
    assert output.count(ESCAPED) == 2
    assert len(output.splitlines()) == 1 + len(kerazoo.list_models())
    assert not UNSAFE.search(output)


def test_an_answer_is_one_row(capsys):
    answer = kerazoo.Prediction(HOSTILE, HOSTILE, 0.5, {HOSTILE: 0.5, "other": 0.5})
    show_predictions(Terminal(), [answer])
    output = capsys.readouterr().out
    assert len(output.splitlines()) == 2
    assert not UNSAFE.search(output)


def test_a_list_of_names_and_values_keeps_its_line_breaks(capsys):
    table = plain_table("", "")
    table.add_row("name", "first\nsecond\x1b")
    Terminal().print(table)
    assert capsys.readouterr().out == "name  first\n      second\\x1b\n"


@pytest.mark.parametrize("arguments", [["list"], ["show", "imdb_lstm"], ["claims", "toy_mlp"]])
def test_piped_lines_end_where_their_text_ends(arguments, capsys):
    assert main(arguments) == 0
    assert not re.search(" $", capsys.readouterr().out, re.MULTILINE)
