"""The same model gives the same answers on TensorFlow and on JAX, which imports no TensorFlow."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

import kerazoo

pytestmark = pytest.mark.tensorflow
TEXTS = ["A moving story, superbly acted. I loved it.", "Dull, clumsy and far too long.", "Not bad at all"]


def answers():
    """What the packaged models answer, as plain values."""
    words = {name: kerazoo.predict(name, TEXTS) for name in ("imdb_lstm", "imdb_transformer")}
    data = kerazoo.load_data("mnist_mlp", source="sample")
    digits = kerazoo.predict("mnist_mlp_dropout", data.x_test[:50])
    asked = [{}, {"top_k": 5}, {"top_p": 0.9, "temperature": 0.8}, {"temperature": 0}]
    return {
        "weights": {name: [[word.weight for word in one.words] for one in given] for name, given in words.items()},
        "shares": {name: [one.probability for one in given] for name, given in words.items()},
        "digits": [list(one.probabilities.values()) for one in digits],
        "metrics": kerazoo.evaluate("mnist_mlp", source="sample"),
        "texts": [kerazoo.generate("textgen_lstm", "ROMEO:", length=300, seed=4, **how) for how in asked],
    }


@pytest.fixture(scope="module")
def both():
    pytest.importorskip("jax")
    code = (
        "import json, sys; sys.path.insert(0, sys.argv[1]); import test_backends; found = test_backends.answers();"
        "print(json.dumps({**found, 'tensorflow': 'tensorflow' in sys.modules}))"
    )
    command = [sys.executable, "-c", code, os.path.dirname(__file__)]  # noqa: PTH120
    environment = {**os.environ, "KERAS_BACKEND": "jax"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    return answers(), json.loads(done.stdout)


def test_on_jax_the_answers_are_the_same(both):
    here, jax = both
    np.testing.assert_allclose(jax["digits"], here["digits"], atol=1e-5)
    for name, weights in here["weights"].items():
        np.testing.assert_allclose(jax["shares"][name], here["shares"][name], atol=1e-5)
        for one, other in zip(jax["weights"][name], weights, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-4)
    assert jax["metrics"] == pytest.approx(here["metrics"], rel=1e-4)


def test_on_jax_the_same_seed_writes_the_same_text(both):
    here, jax = both
    assert jax["texts"] == here["texts"]


def test_on_jax_tensorflow_is_not_imported(both):
    assert both[1]["tensorflow"] is False
