"""A model that has diverged is refused in one line, and on the command line with exit code 1."""

import numpy as np
import pytest

import kerazoo
from kerazoo.cli import main

TEXT = "A moving story, superbly acted."


def diverged(name, **options):
    model = kerazoo.build(name, **options)
    model.set_weights([weight * np.float32("nan") for weight in model.get_weights()])
    return model


def test_the_command_line_refuses_it_with_exit_code_1(tmp_path, capsys):
    path = tmp_path / "model.keras"
    kerazoo.save_model(diverged("toy_mlp"), path)
    assert main(["evaluate", "toy_mlp", "--model", str(path)]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("kerazoo: error: the weights '") and told.err.count("\n") == 1


def test_predict_refuses_numbers_that_are_not_finite():
    with pytest.raises(kerazoo.NotFiniteError, match="not finite"):
        kerazoo.predict("mnist_mlp", np.zeros((28, 28), np.uint8), model=diverged("mnist_mlp", units=(4,)))


@pytest.mark.parametrize("explain", [True, False])
def test_predict_refuses_them_of_texts_too(explain):
    model = kerazoo.build("imdb_transformer", weights="pretrained")
    model.layers[-1].bias.assign([np.nan] * model.layers[-1].bias.shape[0])
    with pytest.raises(kerazoo.NotFiniteError, match="not finite"):
        kerazoo.predict("imdb_transformer", TEXT, model=model, explain=explain)


def test_weights_that_a_relu_hides_are_found():
    model = kerazoo.build("mnist_mlp", units=(4,))
    model.layers[1].kernel.assign(np.full((784, 4), np.nan, np.float32))
    with pytest.raises(kerazoo.NotFiniteError, match="weights .* are not finite"):
        kerazoo.predict(model, np.zeros((28, 28), np.uint8))


def test_the_error_is_the_packages_own_and_not_of_the_input():
    assert issubclass(kerazoo.NotFiniteError, kerazoo.KerazooError)
    assert not issubclass(kerazoo.NotFiniteError, kerazoo.InputError)
