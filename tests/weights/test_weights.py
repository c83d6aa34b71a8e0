"""The packaged weights: small, whole, what the manifest says, and refused where they are not."""

import dataclasses
import json
import shutil

import numpy as np
import pytest

import kerazoo
from kerazoo import weights
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
    packed = weights.pack([table, bias])
    assert packed["0"].dtype == np.int8
    assert packed["1"].dtype == np.float16
    again, small = weights.unpack(packed)
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
def test_the_weights_are_good_enough(name, least):
    assert MANIFEST[name]["test"]["accuracy"] >= least


@pytest.fixture
def copied(tmp_path, monkeypatch):
    """A directory with the smallest of the weights, in place of the package's own."""
    for file in ("mnist_mlp.npz", "manifest.json"):
        shutil.copy(store.DIRECTORY / file, tmp_path)
    monkeypatch.setattr(store, "DIRECTORY", tmp_path)
    return tmp_path


def test_a_damaged_file_is_refused_in_one_line(copied):
    content = bytearray((copied / "mnist_mlp.npz").read_bytes())
    content[1000] ^= 1
    (copied / "mnist_mlp.npz").write_bytes(content)
    with pytest.raises(kerazoo.UnavailableError, match="sha256") as caught:
        kerazoo.build("mnist_mlp", weights="pretrained")
    assert "\n" not in str(caught.value)
    (copied / "mnist_mlp.npz").unlink()
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
    monkeypatch.setattr(run, "load_for", lambda *_: small)
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


def test_only_models_with_a_recipe_are_pretrained(tmp_path):
    with pytest.raises(kerazoo.InputError, match="no recipe"):
        run.pretrain("toy_mlp", tmp_path)


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
    """Every eighth review of the test split: 3,125, of both classes."""
    examples = list(kerazoo.data.real_data("imdb_reviews").read("test"))[::8]
    return [one["text"] for one in examples], np.array([int(one["label"]) for one in examples])


@pytest.mark.real_data
@pytest.mark.parametrize("name", ["imdb_lstm", "imdb_transformer"])
def test_the_manifest_tells_the_accuracy_on_test_reviews(name, reviews):
    found = kerazoo.evaluate(name, "pretrained", data=reviews)
    told = MANIFEST[name]["test"]["accuracy"]
    # Of 3,125 reviews: four standard deviations of a share that was counted on them.
    assert abs(found["accuracy"] - told) < 4 * (told * (1 - told) / 3125) ** 0.5
