"""Every model in every format: its answers are Keras's, and what is known of it travels with it."""

import json
import zipfile

import keras
import numpy as np
import pytest

import kerazoo
from kerazoo.exporting.api import FORMATS
from kerazoo.exporting.checking import sample_of
from kerazoo.trained import trained

pytestmark = pytest.mark.usefixtures("no_real_data")

COMPARED = [name for name, form in FORMATS.items() if form.runs]
REFUSED = {("textgen_lstm", "torch"): "an LSTM over sequences of any length"}
WITH_LSTMS = {
    "stacked": lambda: [keras.layers.LSTM(4, return_sequences=True), keras.layers.LSTM(3)],
    "backwards": lambda: [keras.layers.LSTM(4, return_sequences=True, go_backwards=True)],
    "without bias": lambda: [keras.layers.LSTM(4, use_bias=False)],
}


@pytest.mark.parametrize("name", kerazoo.list_models())
@pytest.mark.parametrize("form", COMPARED)
def test_a_written_model_answers_as_keras_does(exported, name, form):
    if (name, form) in REFUSED:
        with pytest.raises(kerazoo.InputError, match=REFUSED[name, form]):
            exported(name, form)
        return
    found = exported(name, form)
    assert found.path.exists() and found.bytes > 0
    assert found.check.difference <= 1e-4
    assert found.check.inputs >= (4 if name == "toy_mlp" else 200)
    assert found.check.agreement in ((None,) if name == "attention_block" else (1.0,))


@pytest.mark.parametrize("form", [form for form in COMPARED if ("textgen_lstm", form) not in REFUSED])
def test_batches_and_lengths_of_any_size_are_taken(exported, model, form):
    run = FORMATS[form].load(exported("textgen_lstm", form).path)
    for shape in ((1, 1), (3, 7), (2, 90)):
        ids = np.arange(np.prod(shape), dtype=np.int32).reshape(shape) % 60
        np.testing.assert_allclose(run([ids])[0], model("textgen_lstm").predict(ids, verbose=0), atol=1e-5)


@pytest.mark.parametrize("layers", WITH_LSTMS)
@pytest.mark.parametrize("form", ["litert", "torch"])
def test_lstms_of_other_forms_are_written(tmp_path, exported, layers, form):
    exported("toy_mlp", form)  # or skipped
    model = keras.Sequential([keras.Input((6, 5)), *WITH_LSTMS[layers]()])
    found = kerazoo.export(model, tmp_path / f"x{FORMATS[form].suffix}", format=form)
    assert found.check.difference <= 1e-5 and found.check.data == "made-up inputs"


def facts_in(form, path):
    if form == "onnx":
        import onnxruntime

        return json.loads(onnxruntime.InferenceSession(path).get_modelmeta().custom_metadata_map["kerazoo"])
    if form == "saved_model":
        return json.loads((path / "assets.extra" / "kerazoo.json").read_text(encoding="utf-8"))
    if form == "torch":
        import torch

        extra = {"kerazoo.json": ""}
        torch.export.load(path, extra_files=extra)
        return json.loads(extra["kerazoo.json"])
    return json.loads(zipfile.ZipFile(path).read("kerazoo.json"))


@pytest.mark.parametrize("form", COMPARED)
def test_what_is_known_of_a_model_travels_with_it(exported, form):
    known = facts_in(form, exported("mnist_mlp", form).path)
    assert known["model"] == "mnist_mlp" and known["task"] == "mnist"
    assert known["classes"] == list("0123456789")
    assert known["version"] == kerazoo.__version__
    assert known["inputs"] == [
        {
            "name": "pixels",
            "shape": [None, 784],
            "dtype": "float32",
            "meaning": kerazoo.spec("mnist_mlp").inputs[0].meaning,
        }
    ]


def test_the_words_of_a_packaged_model_travel_with_it(tmp_path):
    from kerazoo.exporting.facts import facts_of

    chosen = trained("textgen_lstm")
    words = facts_of(chosen, chosen.load())["vocabulary"]
    assert words["unit"] == "char" and "\n" in words["tokens"] and len(words["tokens"]) == 66


def test_the_inputs_are_the_tasks_own_where_they_fit(model):
    assert sample_of(trained("mnist_mlp"), model("mnist_mlp")).data.startswith("mnist (")
    other = keras.Sequential([keras.Input((7,)), keras.layers.Dense(2)])
    made_up = sample_of(trained(other), other)
    assert made_up.data == "made-up inputs" and made_up.inputs[0].shape == (1000, 7)
