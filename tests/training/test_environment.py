import importlib.metadata
import json

import keras
import pytest

import kerazoo
from kerazoo.training.environment import cudnn_obstacles, environment, versions, warn_where_cudnn_is_lost


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


@pytest.mark.parametrize(
    ("mask_zero", "options", "reason"),
    [(False, {"activation": "relu"}, "relu, not tanh"), (True, {}, "masked"), (True, {"unroll": True}, "unrolled;")],
)
def test_an_lstm_that_loses_cudnn_is_warned_of_on_a_gpu_alone(mask_zero, options, reason):
    inputs = keras.Input((5,))
    x = keras.layers.Embedding(9, 3, mask_zero=mask_zero)(inputs)
    model = keras.Model(inputs, keras.layers.LSTM(4, name="reader", **options)(x))
    warn_where_cudnn_is_lost(model, gpu=False)
    with pytest.warns(UserWarning, match=f"'reader'.*{reason}"):
        warn_where_cudnn_is_lost(model, gpu=True)


def test_the_documented_lstms_are_served(recwarn):
    warn_where_cudnn_is_lost(kerazoo.build("imdb_lstm", vocab_size=50), gpu=True)
    warn_where_cudnn_is_lost(kerazoo.build("mnist_mlp"), gpu=True)
    assert not recwarn.list


def test_versions_are_those_of_what_is_installed_and_decides_a_result(monkeypatch):
    def version(package):
        if package == "torch":
            return "2.9"
        if package == "jax":
            raise importlib.metadata.PackageNotFoundError(package)
        return installed(package)

    installed = importlib.metadata.version
    monkeypatch.setattr(importlib.metadata, "version", version)
    found = versions()
    assert found["scipy"] == installed("scipy") and found["torch"] == "2.9" and "jax" not in found


def test_the_masks_that_cost_cudnn_are_those_of_the_backend():
    inputs = keras.Input((5,))
    x = keras.layers.Embedding(9, 3, mask_zero=True)(inputs)
    model = keras.Model(inputs, keras.layers.LSTM(4)(x))
    told = {"tensorflow": "padded at the end", "jax": "none on JAX"}[keras.backend.backend()]
    with pytest.warns(UserWarning, match=told):
        warn_where_cudnn_is_lost(model, gpu=True)


def test_tf32_is_told_of_gpus_alone_and_only_where_it_may_be_used(monkeypatch):
    from kerazoo.factory import exact_products
    from kerazoo.training import devices

    assert devices.described()["tf32"] is False
    backend = keras.backend.backend()
    monkeypatch.setattr(devices, f"_{backend}_gpus", lambda: ["a GPU"])
    answer = getattr(devices, f"_{backend}_tf32")
    if backend == "jax":
        assert answer() is True, "which is JAX's default"
        with exact_products():
            assert answer() is False
        assert environment()["tf32"] is False, "everything is measured so"
    else:
        import tensorflow as tf

        assert answer() == tf.config.experimental.tensor_float_32_execution_enabled()


@pytest.mark.parametrize(
    ("flags", "wanted"),
    [
        ("", False),
        ("--xla_gpu_deterministic_ops=true", True),
        ("--a=1 --xla_gpu_exclude_nondeterministic_ops", True),
        ("--xla_gpu_deterministic_ops=false", False),
    ],
)
def test_deterministic_operations_of_xla_are_read_from_its_flags(monkeypatch, flags, wanted):
    from kerazoo.training import devices

    monkeypatch.setenv("XLA_FLAGS", flags)
    assert devices._jax_deterministic() is wanted
