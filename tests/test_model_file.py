import json
import os
import subprocess
import sys

import keras
import pytest

import kerazoo
from kerazoo.model_file import load_model, origin_of, save_model


def test_the_options_of_a_model_come_back(tmp_path):
    save_model(kerazoo.build("mnist_mlp", units=(4, 3)), tmp_path / "model.keras")
    assert origin_of(load_model(tmp_path / "model.keras")).options == {"units": (4, 3)}


# Arguments: names of models. Prints the parameters of those that Keras loads without kerazoo, then of the others.
WITH_KERAS_FIRST = """
import json, sys
sys.modules["kerazoo"] = None
import keras
def load(names):
    loaded = {}
    for name in names:
        try:
            loaded[name] = keras.saving.load_model(name + ".keras").count_params()
        except TypeError:
            pass
    return loaded
found = load(sys.argv[1:])
del sys.modules["kerazoo"]
import kerazoo
print(json.dumps([found, load(set(sys.argv[1:]) - set(found))]))
"""


def test_where_only_keras_is_installed_the_files_are_keras_models_but_for_our_layers(tmp_path):
    """With kerazoo imported first: tests/layers/test_attention_in_models.py."""
    sizes = {}
    for name in ("mnist_mlp", "imdb_lstm", "textgen_lstm", "attention_block"):
        model = kerazoo.build(name)
        save_model(model, tmp_path / f"{name}.keras")
        sizes[name] = model.count_params()
    command = [sys.executable, "-c", WITH_KERAS_FIRST, *sizes]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=os.environ, check=False)
    assert done.returncode == 0, done.stderr
    ours = {"attention_block": sizes.pop("attention_block")}
    assert json.loads(done.stdout) == [sizes, ours]


@pytest.mark.parametrize("name", ["model.h5", "model", "no/such/folder/model.keras"])
def test_a_path_that_cannot_hold_a_model_is_refused(name, tmp_path):
    with pytest.raises(kerazoo.ModelFileError, match="cannot be written"):
        save_model(kerazoo.build("toy_mlp"), tmp_path / name)


def test_a_file_that_keras_saved_is_loaded_too(tmp_path):
    kerazoo.build("toy_mlp").save(tmp_path / "plain.keras")
    loaded = load_model(tmp_path / "plain.keras", "toy_mlp")
    assert origin_of(loaded).name == "toy_mlp"


@pytest.mark.parametrize("content", [b"", b"text", b"PK\x03\x04 cut off", None])
def test_a_file_that_is_no_model_is_refused(content, tmp_path):
    path = tmp_path / "model.keras"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(kerazoo.ModelFileError) as caught:
        load_model(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_truncated_file_is_refused(share, tmp_path):
    path = tmp_path / "model.keras"
    save_model(kerazoo.build("toy_mlp"), path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(kerazoo.ModelFileError, match="not a whole"):
        load_model(path)


def test_an_archive_of_something_else_is_refused(tmp_path):
    import zipfile

    with zipfile.ZipFile(tmp_path / "model.keras", "w") as archive:
        archive.writestr("readme.txt", "no model")
    with pytest.raises(kerazoo.ModelFileError, match="cannot be loaded as a Keras model"):
        load_model(tmp_path / "model.keras")


def test_another_model_than_the_one_asked_for_is_refused(tmp_path):
    save_model(kerazoo.build("toy_mlp"), tmp_path / "model.keras")
    with pytest.raises(kerazoo.ModelFileError, match="holds the model 'toy_mlp', not 'mnist_mlp'"):
        load_model(tmp_path / "model.keras", "mnist_mlp")


def test_a_disk_that_is_full_leaves_the_old_file(tmp_path, monkeypatch):
    model = kerazoo.build("toy_mlp")
    path = tmp_path / "model.keras"
    save_model(model, path)
    before = path.read_bytes()

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(keras.Model, "save", full)
    with pytest.raises(OSError, match="No space"):
        save_model(model, path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
