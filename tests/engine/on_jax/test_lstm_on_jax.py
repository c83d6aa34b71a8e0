"""The faster LSTM on JAX against Keras's: outputs and all gradients."""

import keras
import numpy as np
import pytest

from kerazoo.engine.layer_swap import swapped

RNG = np.random.default_rng(0)
X = RNG.normal(size=(3, 7, 5)).astype("float32")


def compared(layer, x=X):
    """The outputs and gradients of a layer as it is and as the engine runs it."""
    import jax

    from kerazoo.engine.jax.lstm import FASTER

    model = keras.Sequential([layer])
    model(x)
    weights, others = ([v.value for v in group] for group in (model.trainable_variables, model.non_trainable_variables))

    def total(weights, x):
        outputs, _ = model.stateless_call(weights, others, x, training=True)
        return jax.numpy.sum(jax.numpy.cos(jax.numpy.concatenate([o.ravel() for o in jax.tree.leaves(outputs)])))

    graded = jax.value_and_grad(total, argnums=(0, 1))
    plain = graded(weights, x)
    with swapped(model, FASTER):
        assert "custom_vjp" in str(jax.make_jaxpr(total)(weights, x))
        fast = graded(weights, x)
    assert type(layer) is keras.layers.LSTM
    return jax.tree.leaves(plain), jax.tree.leaves(fast)


@pytest.mark.parametrize("sequences", [True, False])
@pytest.mark.parametrize("options", [{}, {"use_bias": False}, {"go_backwards": True}], ids=str)
def test_outputs_and_gradients_are_those_of_keras(options, sequences):
    keras.utils.set_random_seed(1)
    layer = keras.layers.LSTM(4, return_sequences=sequences, bias_initializer="glorot_normal", **options)
    for a, b in zip(*compared(layer), strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    "options",
    [{"activation": "relu"}, {"recurrent_dropout": 0.3, "seed": 1}, {"unroll": True}, {"dtype": "mixed_bfloat16"}],
    ids=str,
)
def test_what_it_does_not_cover_is_keras_s_own(options):
    keras.utils.set_random_seed(1)
    layer = keras.layers.LSTM(4, **options)
    import jax

    from kerazoo.engine.jax import lstm

    layer.build(X.shape)
    object.__setattr__(layer, "__class__", lstm.LSTM)
    text = str(jax.make_jaxpr(lambda x: layer(x, training=True))(X))
    assert "custom_vjp" not in text
