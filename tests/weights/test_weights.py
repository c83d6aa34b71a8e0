"""The packaged weights: small, whole, what the manifest says, and refused where they are not."""

import dataclasses
import json
import shutil
import threading

import numpy as np
import pytest

import kerazoo
from kerazoo import weights
from kerazoo.cli import main
from kerazoo.data.text import windows
from kerazoo.files import locked
from kerazoo.model_file import origin_of
from kerazoo.pretraining import run
from kerazoo.pretraining.moving import move
from kerazoo.pretraining.recipes import RECIPES
from kerazoo.weights import store

MANIFEST = weights.manifest()


def test_packing_keeps_small_arrays_to_half_precision_and_rows_to_half_a_step(monkeypatch):
    monkeypatch.setattr("kerazoo.weights.packing.INT8_FROM", 100)
    generator = np.random.default_rng(0)
    table = generator.normal(0, 1, (40, 5)).astype(np.float32) * np.logspace(-4, 1, 40, dtype=np.float32)[:, None]
    table[7] = 0
    bias = generator.normal(0, 1, 5).astype(np.float32)
    packed = [weights.pack(one) for one in (table, bias)]
    assert [numbers.dtype for numbers, _ in packed] == [np.int8, np.float16]
    again, small = (weights.unpack(*one) for one in packed)
    assert again.dtype == small.dtype == np.float32
    assert (np.abs(again - table) <= 0.5001 * np.abs(table).max(1, keepdims=True) / 127).all()
    np.testing.assert_allclose(small, bias, rtol=1e-3)


def test_all_files_are_there_and_small():
    assert set(MANIFEST) == set(RECIPES)
    sizes = [(store.DIRECTORY / entry["file"]).stat().st_size for entry in MANIFEST.values()]
    assert sizes == [entry["bytes"] for entry in MANIFEST.values()]
    assert sum(sizes) < 12e6


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_the_manifest_says_how_the_weights_came_to_be(name):
    entry = MANIFEST[name]
    assert entry["recipe"] == json.loads(json.dumps(dataclasses.asdict(RECIPES[name])))
    chosen, history = entry["chosen"], entry["history"]
    assert "test" not in chosen["by"] + chosen["on"]
    best = (min if chosen["by"] == "val_loss" else max)(history[chosen["by"]])
    assert history[chosen["by"]].index(best) + 1 == chosen["epoch"]
    test = entry["test"]
    assert test["accuracy_interval"][0] < test["accuracy"] < test["accuracy_interval"][1]
    assert abs(test["accuracy"] - test["float32"]["accuracy"]) <= 0.001
    assert entry["parameters"] == sum(one.size for one in weights.load(name).weights)


@pytest.mark.parametrize(
    ("name", "least"),
    [("mnist_mlp", 0.978), ("mnist_mlp_dropout", 0.983), ("imdb_lstm", 0.840), ("imdb_transformer", 0.865)],
)
def test_the_manifest_tells_of_good_weights(name, least):
    assert MANIFEST[name]["test"]["accuracy"] >= least


REVIEWS = {
    "A warm and funny film with a great cast. I loved it and will watch it again.": "positive",
    "One of the best dramas of the decade: beautifully shot, wonderfully played, deeply moving.": "positive",
    "My children were delighted, and so was I. Highly recommended!": "positive",
    "Dull, badly written and far too long. The worst two hours of my year.": "negative",
    "I wanted to like it, but the jokes are stupid and the acting is terrible. Avoid.": "negative",
    "A complete waste of time. Nothing makes sense, and nobody on the screen seems to care.": "negative",
}
VERSE = (  # in the manner of the plays, and not in them
    "First Lord:\nMy gracious king, the night is long and cold,\nAnd yet the queen doth bid us stay with her.\n\n"
    "KING HENRY:\nThen let us stay; I will not have her grieve.\nGo, tell my son that we shall come to-morrow.\n"
)


@pytest.mark.parametrize("name", ["mnist_mlp", "mnist_mlp_dropout"])
def test_the_weights_read_digits(name, small_data):
    assert kerazoo.evaluate(name, "pretrained", data=small_data(name, test=300))["accuracy"] >= 0.96


@pytest.mark.parametrize("name", ["imdb_lstm", "imdb_transformer"])
def test_the_weights_judge_reviews(name):
    found = kerazoo.predict(name, list(REVIEWS), explain=False)
    assert [one.label for one in found] == list(REVIEWS.values())


def test_the_weights_foresee_verse():
    """Were all 65 characters as likely, the loss would be 4.2."""
    vocabulary = origin_of(kerazoo.build("textgen_lstm", weights="pretrained", compile=False)).vocabulary
    data = windows({"train": VERSE}, "verse", "user", "user", vocabulary=vocabulary)
    found = kerazoo.evaluate("textgen_lstm", "pretrained", data=data)
    assert found["loss"] < 1.7


@pytest.fixture
def copied(tmp_path, monkeypatch):
    """A directory with the smallest of the weights, in place of the package's own."""
    for file in ("mnist_mlp.onnx", "manifest.json"):
        shutil.copy(store.DIRECTORY / file, tmp_path)
    monkeypatch.setattr(store, "DIRECTORY", tmp_path)
    return tmp_path


def test_a_damaged_file_is_refused_in_one_line(copied):
    content = bytearray((copied / "mnist_mlp.onnx").read_bytes())
    content[1000] ^= 1
    (copied / "mnist_mlp.onnx").write_bytes(content)
    with pytest.raises(kerazoo.UnavailableError, match="sha256") as caught:
        kerazoo.build("mnist_mlp", weights="pretrained")
    assert "\n" not in str(caught.value)
    (copied / "mnist_mlp.onnx").unlink()
    with pytest.raises(kerazoo.UnavailableError, match="cannot be read"):
        kerazoo.build("mnist_mlp", weights="pretrained")
    (copied / "manifest.json").write_text("{")
    with pytest.raises(kerazoo.UnavailableError, match="manifest"):
        kerazoo.build("mnist_mlp", weights="pretrained")


def test_a_model_without_weights_is_told():
    with pytest.raises(kerazoo.InputError, match="'toy_mlp' has no pretrained weights.*mnist_mlp"):
        kerazoo.build("toy_mlp", weights="pretrained")


def test_building_restores_options_and_vocabulary():
    model = kerazoo.build("imdb_transformer", weights="pretrained", compile=False)
    assert model.inputs[0].shape[1] == MANIFEST["imdb_transformer"]["options"]["sequence_length"]
    origin = origin_of(model)
    assert len(origin.vocabulary) == 20_000
    assert origin.options["sequence_length"] == model.inputs[0].shape[1]


@pytest.mark.parametrize(
    ("name", "override"), [("mnist_mlp", {"units": (64,)}), ("imdb_transformer", {"sequence_length": 50})]
)
def test_an_override_that_contradicts_the_weights_is_refused(name, override):
    with pytest.raises(kerazoo.OverrideError, match=f"{next(iter(override))}="):
        kerazoo.build(name, weights="pretrained", **override)


def test_an_override_that_leaves_the_weights_as_they_are_is_taken():
    model = kerazoo.build("mnist_mlp_dropout", weights="pretrained", dropout=0.5, learning_rate=0.01)
    assert [layer.rate for layer in model.layers if hasattr(layer, "rate")] == [0.5, 0.5]
    assert float(model.optimizer.learning_rate.numpy()) == pytest.approx(0.01)


def test_weights_of_a_keras_file_bring_their_options(tmp_path):
    kerazoo.save_model(kerazoo.build("mnist_mlp", units=(6,), seed=2), tmp_path / "mine.keras")
    model = kerazoo.build("mnist_mlp", weights=str(tmp_path / "mine.keras"))
    assert model.count_params() == 784 * 6 + 6 + 60 + 10
    with pytest.raises(kerazoo.InputError, match="holds the model 'mnist_mlp'"):
        kerazoo.build("mnist_mlp_dropout", weights=str(tmp_path / "mine.keras"))


def test_moved_pictures_are_like_the_first_ones():
    pictures = np.zeros((50, 28, 28), np.float32)
    pictures[:, 6:22, 12:15] = 1
    moved = move(pictures.reshape(50, 784), np.random.default_rng(0))
    assert moved.shape == (50, 784)
    assert moved.dtype == np.float32
    assert moved.min() >= 0
    assert moved.max() <= 1
    assert len(np.unique(moved, axis=0)) == 50
    assert 0.3 < moved.sum() / pictures.sum() < 2


def test_pretraining_writes_weights_that_load(tmp_path, monkeypatch, small_data):
    small = small_data("mnist_mlp")
    monkeypatch.setattr(run, "task_of", lambda _: kerazoo.Task("small", lambda: small))
    recipe = dataclasses.replace(RECIPES["mnist_mlp"], epochs=2, batch_size=16, options={"units": (8,)})
    said = []
    entry = run.pretrain("mnist_mlp", tmp_path / "new", recipe=recipe, say=said.append)
    assert len(said) == 3
    assert weights.manifest(tmp_path / "new")["mnist_mlp"] == json.loads(json.dumps(entry))
    assert entry["data"]["val"] == 6
    assert len(entry["history"]["val_accuracy"]) == 2
    loaded = weights.load("mnist_mlp", tmp_path / "new")
    assert loaded.options == {"units": (8,)}
    assert [one.shape for one in loaded.weights] == [(784, 8), (8,), (8, 10), (10,)]
    before = {file.name: file.read_bytes() for file in (tmp_path / "new").iterdir()}
    monkeypatch.setattr(run, "_MOST_LOST", -1.0)
    with pytest.raises(kerazoo.KerazooError, match="as stored: too far"):
        run.pretrain("mnist_mlp", tmp_path / "new", recipe=dataclasses.replace(recipe, seed=1), say=said.append)
    assert {file.name: file.read_bytes() for file in (tmp_path / "new").iterdir()} == before


def test_what_cannot_be_pretrained_is_told_before_any_training(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(run, "task_of", None)  # would be called first
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "manifest.json").write_text("{")
    for arguments, told in (
        (["mnist_mlp", "toy_mlp"], "'toy_mlp' has no recipe"),
        (["mnist_mlp", "imdb_lstn"], "imdb_lstm"),
        (["mnist_mlp", "--out", "file/weights"], "wanted a directory"),
        (["mnist_mlp", "--out", "damaged"], "cannot be read"),
    ):
        assert main(["pretrain", *arguments]) in (1, 2)
        assert told in capsys.readouterr().err
    assert not (tmp_path / "weights").exists()


def test_weights_that_are_saved_at_once_are_all_in_the_manifest(tmp_path):
    arguments = (b"a file", {}, tmp_path)
    other = threading.Thread(target=weights.save, args=("second", *arguments))
    with locked(tmp_path):
        other.start()
        other.join(0.3)
        assert not list(tmp_path.iterdir())
    weights.save("first", *arguments)
    other.join()
    assert set(weights.manifest(tmp_path)) == {"first", "second"}


@pytest.mark.real_data
@pytest.mark.parametrize("name", ["mnist_mlp", "mnist_mlp_dropout"])
def test_the_manifest_tells_the_accuracy_on_all_digits(name, digits):
    found = kerazoo.evaluate(name, "pretrained", data=digits)
    assert found["accuracy"] == pytest.approx(MANIFEST[name]["test"]["accuracy"], abs=1e-4)
    assert found["loss"] == pytest.approx(MANIFEST[name]["test"]["loss"], rel=1e-3)


@pytest.fixture(scope="module")
def digits():
    examples = list(kerazoo.data.real_data("mnist").read("test"))
    return np.stack([one["image"] for one in examples]), np.array([one["label"] for one in examples])


@pytest.fixture(scope="module")
def reviews():
    """Every 24th review of the test split, of both classes."""
    examples = list(kerazoo.data.real_data("imdb_reviews").read("test"))[::24]
    return [one["text"] for one in examples], np.array([int(one["label"]) for one in examples])


@pytest.mark.real_data
@pytest.mark.parametrize("name", ["imdb_lstm", "imdb_transformer"])
def test_the_manifest_tells_the_accuracy_on_test_reviews(name, reviews):
    found = kerazoo.evaluate(name, "pretrained", data=reviews)
    told = MANIFEST[name]["test"]["accuracy"]
    # Four standard deviations of a share that was counted on 1,042 reviews: 0.04.
    assert abs(found["accuracy"] - told) < 4 * (told * (1 - told) / len(reviews[0])) ** 0.5
