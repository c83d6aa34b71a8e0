"""Answers without a framework: those of Keras, from the packaged weights and from `.onnx` files."""

import json
import subprocess
import sys

import numpy as np
import pytest

import kerazoo
from kerazoo.cli import main
from kerazoo.exporting.onnx_graph import write_onnx
from kerazoo.inference import weighing
from kerazoo.inference.choosing import packaged
from kerazoo.inference.session import Session, threads
from kerazoo.pretraining.recipes import RECIPES

REVIEW = "A moving story, superbly acted. I loved it, though the end is a little dull."
FRAMEWORKS = {"tensorflow", "keras", "jax", "torch"}


@pytest.fixture(scope="module")
def in_keras():
    """Return a function: the packaged model in Keras, built once."""
    built = {}

    def get(name):
        if name not in built:
            built[name] = kerazoo.build(name, weights="pretrained", compile=False)
        return built[name]

    return get


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_packaged_weights_answer_as_in_keras(name, in_keras, small_data):
    options = {"sequence_length": 256} if name == "imdb_transformer" else {}
    x = small_data(name, test=64, **options).x_test
    x = x % 66 if name == "textgen_lstm" else x
    found = packaged(name)(x)[0]
    np.testing.assert_allclose(found, in_keras(name).predict(x, verbose=0), atol=1e-5)


@pytest.mark.parametrize(
    "how", [{"temperature": 0}, {"seed": 1}, {"seed": 2, "temperature": 0.7, "top_k": 20, "top_p": 0.9}]
)
def test_text_is_that_of_keras(in_keras, how):
    prompts = ["ROMEO:", "", "What, ho!\n"]
    found = kerazoo.generate("textgen_lstm", prompts, length=120, **how)
    assert found == kerazoo.generate(in_keras("textgen_lstm"), prompts, length=120, **how)
    assert found[0] == kerazoo.generate("textgen_lstm", prompts[0], length=120, **how)


SCRIPT = """
import sys
from kerazoo.cli import main
code = main(sys.argv[1:])
print(code, sorted({name.partition(".")[0] for name in sys.modules}))
"""


@pytest.mark.parametrize("what", ["text", "picture", "writing"])
def test_a_command_imports_no_framework_and_little_else(what, tmp_path):
    np.save(tmp_path / "digit.npy", np.eye(28, dtype=np.float32))
    arguments = {
        "text": ["predict", "imdb_lstm", REVIEW, "--json"],
        "picture": ["predict", "mnist_mlp", str(tmp_path / "digit.npy"), "--json"],
        "writing": ["generate", "--length", "20", "--seed", "0"],
    }[what]
    done = subprocess.run([sys.executable, "-c", SCRIPT, *arguments], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    told = done.stdout.rstrip().rpartition("\n")[2]
    assert told.startswith("0 [") and "onnxruntime" in told
    others = {"scipy", "pandas", "matplotlib", "onnx", "tensorflow_datasets", "jinja2", "PIL"}
    assert not (FRAMEWORKS | others) & set(json.loads(told[2:].replace("'", '"')))


@pytest.mark.parametrize("name", ["imdb_lstm", "imdb_transformer"])
def test_words_weigh_as_their_gradients_say(name, in_keras):
    (found,), (wanted,) = kerazoo.predict(name, REVIEW), kerazoo.predict(name, REVIEW, model=in_keras(name))
    assert found.method == "integrated gradients by differences" and wanted.method == "integrated gradients"
    assert [word.known for word in found.words] == [word.known for word in wanted.words]
    weights = [[word.weight for word in one.words] for one in (found, wanted)]
    assert np.corrcoef(weights)[0, 1] > 0.99
    assert found.heaviest(1)[0].text in [word.text for word in wanted.heaviest(3)]


def test_weights_add_up_and_unknown_words_have_none():
    session = packaged("imdb_lstm")
    ids = session.origin.vocabulary.encode_rows([REVIEW.replace("acted", "qzxv")], 100)
    weights = weighing.weights(session, ids, session.origin.vocabulary.unknown)
    odds = [float(session(one, "logits")[0][0, 0]) for one in (ids, np.minimum(ids, 1))]
    assert weights.sum() == pytest.approx(odds[0] - odds[1], rel=0.2)
    assert (weights[ids < 2] == 0).all() and (weights[ids > 1] != 0).all()


def test_attention_is_that_of_keras(in_keras, tmp_path):
    from kerazoo.inference.predicting import stream

    (found,) = stream("imdb_transformer", REVIEW, attention=True)
    (wanted,) = stream("imdb_transformer", REVIEW, model=in_keras("imdb_transformer"), attention=True)
    np.testing.assert_allclose(found.attention, wanted.attention, atol=1e-5)
    assert wanted.method == "integrated gradients"
    assert main(["predict", "imdb_transformer", REVIEW, "--html", str(tmp_path / "page.html")]) == 0
    assert "weighed by integrated gradients by differences" in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_a_file_needs_nothing_else(in_keras, tmp_path, capsys):
    review, text = tmp_path / "review.onnx", tmp_path / "text.onnx"
    write_onnx(in_keras("imdb_lstm"), review)
    write_onnx(in_keras("textgen_lstm"), text)
    (wanted,) = kerazoo.predict("imdb_lstm", REVIEW)
    for found in (kerazoo.predict(review, REVIEW), kerazoo.predict("imdb_lstm", REVIEW, model=str(review))):
        assert found[0].probability == pytest.approx(wanted.probability, abs=1e-5)
        assert found[0].label == "positive"
        assert [word.text for word in found[0].heaviest(3)] == [word.text for word in wanted.heaviest(3)]
    assert main(["generate", "--model", str(text), "--seed", "3", "--length", "30"]) == 0
    assert capsys.readouterr().out == kerazoo.generate("textgen_lstm", seed=3, length=30) + "\n"
    assert main(["generate", "--model", str(review)]) == 2
    assert "holds the model 'imdb_lstm', not 'textgen_lstm'" in capsys.readouterr().err
    assert main(["generate", "textgen", "--model", str(text)]) == 2
    assert "Did you mean 'textgen_lstm'?" in capsys.readouterr().err


def test_files_that_are_no_models_are_told_in_a_line(in_keras, tmp_path):
    damaged, review = tmp_path / "damaged.onnx", tmp_path / "review.onnx"
    damaged.write_bytes(b"no model")
    write_onnx(in_keras("mnist_mlp"), review)
    for call, told in (
        (lambda: kerazoo.predict(damaged, REVIEW), "cannot be loaded by ONNX Runtime"),
        (lambda: kerazoo.predict("imdb_lstm", REVIEW, model=tmp_path / "none.onnx"), "is not a file"),
        (lambda: kerazoo.predict("imdb_lstm", REVIEW, model=review), "holds the model 'mnist_mlp', not 'imdb_lstm'"),
        (lambda: kerazoo.generate(str(review)), "does not write text|has no states"),
        (lambda: kerazoo.fine_tune(str(review)), "is an ONNX file"),
    ):
        with pytest.raises(kerazoo.InputError, match=told) as caught:
            call()
        assert "\n" not in str(caught.value)


def test_answers_that_are_not_finite_are_refused(tmp_path):
    model = kerazoo.build("mnist_mlp", units=(3,), compile=False)
    model.set_weights([one * np.nan for one in model.get_weights()])
    write_onnx(model, tmp_path / "model.onnx")
    with pytest.raises(kerazoo.NotFiniteError, match="not finite"):
        kerazoo.predict("mnist_mlp", np.eye(28), model=tmp_path / "model.onnx")


def test_a_session_may_be_given_in_place_of_its_file():
    assert kerazoo.predict(packaged("mnist_mlp"), np.eye(28)) == kerazoo.predict("mnist_mlp", np.eye(28))
    assert isinstance(packaged("mnist_mlp"), Session)


def test_the_environment_says_how_many_threads(monkeypatch):
    for name in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS"):
        monkeypatch.delenv(name, raising=False)
    assert threads() >= 1
    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", "3")
    assert threads() == 3
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert threads() == 2


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_packaged_weights_measure_what_keras_does(name, in_keras, small_data):
    options = {"sequence_length": 256} if name == "imdb_transformer" else {}
    data = small_data(name, test=100, **options)
    model = kerazoo.build(name, weights="pretrained")
    if name == "textgen_lstm":
        x = data.x_test % 66
        likely = np.argsort(-model.predict(x, verbose=0))[:, 2]  # whether Keras clips unlikely ones is its backend's
        data = kerazoo.Dataset("user", "user", "user", x, likely)
    assert kerazoo.evaluate(name, data=data) == pytest.approx(kerazoo.evaluate(name, model, data=data), rel=1e-5)


def test_models_of_numbers_are_measured_by_their_files(tmp_path, small_data):
    for name in ("toy_mlp", "attention_block"):
        model = kerazoo.build(name, seed=0)
        write_onnx(model, tmp_path / "model.onnx")
        wanted = kerazoo.evaluate(name, model, data=small_data(name))
        assert kerazoo.evaluate(str(tmp_path / "model.onnx"), data=small_data(name)) == pytest.approx(wanted, rel=1e-4)
