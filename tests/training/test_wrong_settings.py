"""Values that training refuses, each in one line."""

import pytest

import kerazoo


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"epochs": 0}, "epochs=0"),
        ({"epochs": -1}, "epochs=-1"),
        ({"epochs": 1.5}, "epochs=1.5"),
        ({"epochs": True}, "epochs=True"),
        ({"batch_size": 0}, "batch_size=0"),
        ({"seed": -1}, "seed=-1"),
        ({"seed": "x"}, "seed='x'"),
        ({"seed": 2**32}, "seed="),
        ({"precision": "float8"}, "precision='float8'"),
        ({"validation_split": 1.5}, "validation_split=1.5"),
        ({"early_stopping": 0}, "early_stopping=0"),
        ({"tensorboard": True}, "run_dir"),
        ({"run_dir": ""}, "empty"),
        ({"resume": True}, "run_dir"),
        ({"resume": True, "overwrite": True, "run_dir": "never_made"}, "contradict"),
        ({"width": 3}, "no option 'width'"),
        ({"learning_rate": 0.0}, "above 0"),
        ({"source": "web"}, "source='web'"),
    ],
)
def test_a_value_that_cannot_be_is_named(arguments, reason):
    with pytest.raises(kerazoo.InputError, match=reason):
        kerazoo.train("mnist_mlp", **{"verbose": False, "source": "sample"} | arguments)


def test_a_vocabulary_larger_than_the_model_is_refused(small_data):
    with pytest.raises(kerazoo.OverrideError, match="the data needs"):
        kerazoo.train("textgen_lstm", data=small_data("textgen_lstm"), vocab_size=10, verbose=False)


def test_another_number_of_names_than_classes_is_refused(small_data):
    import dataclasses

    data = dataclasses.replace(small_data("mnist_mlp"), classes=("odd", "even"))
    with pytest.raises(kerazoo.DataError, match=r"2 classes are named \(odd, even\) and the model tells 10 apart"):
        kerazoo.train("mnist_mlp", data=data, units=(4,), verbose=False)


def test_a_model_of_ones_own_is_sent_to_fit():
    import keras

    with pytest.raises(kerazoo.InputError, match=r"kerazoo\.fit trains"):
        kerazoo.train(keras.Sequential([keras.layers.Dense(1)]))
