import json

import pytest

import kerazoo
from kerazoo.cli import main
from kerazoo.model_file import Origin, save_model, set_origin


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    vocabulary = kerazoo.Vocabulary.learn(["The cat sat on a mat.\n"], "char")
    model = kerazoo.build("textgen_lstm", vocab_size=len(vocabulary), units=4, seed=0)
    set_origin(model, Origin("textgen_lstm", {"vocab_size": len(vocabulary)}, vocabulary))
    path = tmp_path_factory.mktemp("model") / "model.keras"
    save_model(model, path)
    return path


@pytest.fixture
def run(capsys, monkeypatch):
    monkeypatch.setattr("warnings.showwarning", None)

    def call(*arguments):
        code = main(["generate", *map(str, arguments)])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def test_text_streams_and_json_is_one_document(run, file):
    settings = ("--model", file, "--prompt", "The ", "--length", 100, "--seed", 4, "--top-k", 5)
    code, text, errors = run(*settings)
    assert (code, errors) == (0, "")
    assert text.startswith("The ") and len(text) == 4 + 100 + 1
    code, output, _ = run(*settings, "--json")
    document = json.loads(output)
    assert code == 0
    assert [document["text"]] == document["texts"] == [text[:-1]]
    assert {key: document[key] for key in ("model", "prompt", "seed", "length", "temperature", "top_k", "top_p")} == {
        "model": "textgen_lstm", "prompt": "The ", "seed": 4, "length": 100, "temperature": 1.0, "top_k": 5,
        "top_p": None,
    }  # fmt: skip


def test_a_seed_that_was_drawn_is_told(run, file):
    _, output, _ = run("textgen_lstm", "--model", file, "--length", 40, "--samples", 2, "--json")
    document = json.loads(output)
    again = kerazoo.generate(file, length=40, samples=2, seed=document["seed"])
    assert document["texts"] == again and again[0] != again[1]


def test_several_texts_and_a_stop_text(run, file):
    code, output, _ = run("--model", file, "--length", 50, "--seed", 1, "--samples", 2, "--stop", "e", "--stop", "a")
    texts = output.removesuffix("\n").split("\n---\n")
    assert code == 0 and len(texts) == 2
    assert not any("e" in text or "a" in text for text in texts)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--length", 0], "length=0"),
        (["--top-p", 1.5], "top_p=1.5"),
        (["--seed", -1], "seed=-1"),
        (["--samples", 10000], "10000 texts"),
        (["--temperature", "warm"], "--temperature"),
        (["--model", "nothing.keras"], "not a file"),
        (["mnist_mlp"], "does not write text"),
        (["textgen"], "Did you mean 'textgen_lstm'"),
    ],
)
def test_bad_input_exits_with_2_in_a_line(run, arguments, message):
    code, output, errors = run(*arguments)
    assert (code, output) == (2, "")
    assert message in errors and errors.count("\n") == 1
