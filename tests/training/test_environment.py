import json

import keras
import pytest

import kerazoo
from kerazoo.training.environment import cudnn_obstacles, environment


def test_the_environment_is_plain_json_and_names_what_matters():
    found = json.loads(json.dumps(environment()))
    assert {"versions", "backend", "cpu", "cores", "gpus", "precision", "deterministic_ops"} <= set(found)
    assert found["versions"]["keras"] == keras.__version__
    assert found["versions"]["kerazoo"] == kerazoo.__version__
    assert found["cores"] >= 1


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({}, None),
        ({"activation": "relu"}, "activation is relu"),
        ({"recurrent_activation": "hard_sigmoid"}, "recurrent activation is hard_sigmoid"),
        ({"recurrent_dropout": 0.1}, "recurrent_dropout"),
        ({"unroll": True}, "unrolled"),
        ({"use_bias": False}, "no bias"),
    ],
)
def test_what_keeps_cudnn_from_an_lstm_is_named(options, reason):
    obstacles = cudnn_obstacles(keras.layers.LSTM(4, **options), gpu=True)
    assert len(obstacles) == (0 if reason is None else 1)
    assert reason is None or reason in obstacles[0]


def test_without_a_gpu_that_is_the_reason():
    assert cudnn_obstacles(keras.layers.LSTM(4), gpu=False) == ["no GPU"]
