import os
import subprocess
import sys

import pytest

import kerazoo
from kerazoo import registry

DOCUMENTED = [
    "attention_block",
    "imdb_lstm",
    "imdb_transformer",
    "mnist_mlp",
    "mnist_mlp_dropout",
    "textgen_lstm",
    "toy_mlp",
]
RECIPE = kerazoo.Recipe(optimizer="sgd", loss="mean_squared_error", metrics=(), batch_size=8, epochs=1)


def test_every_documented_model_is_listed_in_order():
    assert kerazoo.list_models() == DOCUMENTED


@pytest.mark.parametrize(
    ("pattern", "exclude", "expected"),
    [
        ("mnist_*", None, ["mnist_mlp", "mnist_mlp_dropout"]),
        (["imdb_*", "toy_mlp"], None, ["imdb_lstm", "imdb_transformer", "toy_mlp"]),
        ("*_lstm", "imdb_*", ["textgen_lstm"]),
        (None, ["*mlp*", "*lstm*"], ["attention_block", "imdb_transformer"]),
        ("nothing*", None, []),
        ([], None, []),
    ],
)
def test_patterns_include_and_exclude(pattern, exclude, expected):
    assert kerazoo.list_models(pattern, exclude=exclude) == expected


@pytest.mark.parametrize("wrong", ["imdb_lstn", "IMDB_LSTM", "imdb-lstm", "lstm_imdb"])
def test_an_unknown_name_gets_the_nearest_and_all_that_exist(wrong):
    with pytest.raises(kerazoo.UnknownModelError) as caught:
        kerazoo.spec(wrong)
    message = str(caught.value)
    assert repr(wrong) in message
    assert all(name in message for name in DOCUMENTED)
    if wrong != "lstm_imdb":
        assert "Did you mean 'imdb_lstm'?" in message


def test_an_unknown_name_is_also_a_value_error():
    with pytest.raises(ValueError, match="no model is named"):
        kerazoo.build("no_such_model")


def test_a_spec_is_frozen():
    with pytest.raises(AttributeError):
        kerazoo.spec("toy_mlp").num_params = 1


@pytest.fixture
def restored():
    """Put the registry back after the test."""
    before = dict(registry._specs)
    yield
    registry._specs.clear()
    registry._specs.update(before)


def test_a_name_cannot_be_registered_twice():
    with pytest.raises(kerazoo.InputError, match="'toy_mlp' is already registered"):
        kerazoo.register(name="toy_mlp", source=kerazoo.Source("mine", ""), recipe=RECIPE, num_params=1)(lambda: None)


def test_a_builder_without_defaults_is_refused():
    with pytest.raises(kerazoo.InputError, match="'width' has no default"):
        kerazoo.register(name="mine", source=kerazoo.Source("mine", ""), recipe=RECIPE, num_params=1)(
            lambda width: None
        )


def test_a_registered_model_of_ones_own_is_built_and_trained(restored):
    import keras
    import numpy as np

    @kerazoo.register(source=kerazoo.Source("mine", ""), recipe=RECIPE, num_params=5)
    def my_line(width=1):
        """Map (B, 4) to (B, width)."""
        inputs = keras.Input((4,))
        return keras.Model(inputs, keras.layers.Dense(width)(inputs))

    assert "my_line" in kerazoo.list_models()
    assert kerazoo.build("my_line").count_params() == 5
    x = np.random.default_rng(0).normal(size=(16, 4))
    result = kerazoo.train("my_line", data=(x, x[:, :1]), epochs=2, verbose=False)
    assert len(result.history["loss"]) == 2
    with pytest.raises(kerazoo.DataError, match="no data set of its own"):
        kerazoo.train("my_line", verbose=False)


MODEL_FILE = """
import kerazoo

@kerazoo.register(source=kerazoo.Source("mine", ""), num_params=3, dataset="toy",
                  recipe=kerazoo.Recipe("sgd", "mean_squared_error", 4, 1, metrics=()))
def from_a_file():
    import keras
    return keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
"""


def run_python(code, **environment):
    return subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )


def test_a_model_file_of_ones_own_joins_the_zoo(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(MODEL_FILE)
    done = run_python("import kerazoo; print(kerazoo.list_models('from*'))", KERAZOO_MODELS=str(path))
    assert done.stdout.strip() == "['from_a_file']", done.stderr


def test_a_model_file_that_is_missing_is_named(tmp_path):
    done = run_python("import kerazoo; kerazoo.list_models()", KERAZOO_MODELS=str(tmp_path / "gone.py"))
    assert "gone.py" in done.stderr and "is not a file" in done.stderr


def test_listing_and_specs_import_no_framework():
    code = (
        "import sys, kerazoo; kerazoo.list_models(); kerazoo.spec('imdb_lstm').defaults;"
        "print(sorted({'tensorflow', 'keras', 'jax', 'torch'} & set(sys.modules)))"
    )
    done = run_python(code)
    assert done.stdout.strip() == "[]", done.stderr


def test_every_public_name_loads_and_is_documented():
    assert "train" in dir(kerazoo)
    for name in kerazoo.__all__:
        if not name.startswith("_"):
            assert getattr(kerazoo, name).__doc__, name
