"""Gradients of plain Python functions on either backend, as the yardstick of what the package computes."""

import keras


def gradients_of(function, variables):
    """Return the value of `function()`, a scalar, and its gradients by the Keras `variables` that it reads."""
    if keras.backend.backend() == "jax":
        import jax

        def of_values(values):
            with keras.StatelessScope(state_mapping=list(zip(variables, values, strict=True))):
                return function()

        return jax.value_and_grad(of_values)([one.value for one in variables])
    import tensorflow as tf

    with tf.GradientTape() as tape:
        value = function()
    return value, tape.gradient(value, [one.value for one in variables])
