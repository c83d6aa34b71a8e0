"""Whether ReLU avoids vanishing gradients: a deep net, its gradients layer by layer, and what it learns."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

from kerazoo import Dataset, Setting, engine, experiment, spec
from kerazoo.lazy import keras, np, tf
from kerazoo.studies.articles.experiments.parts import Say, counterbalanced, data_of, fitted, rounded, some_of

_ACTIVATIONS = ("relu", "sigmoid", "tanh")


@experiment("relu_vanishing", needs=("mnist", "backend:tensorflow"), seeds=20, minutes=0.35, revision=2)
def relu_vanishing(setting: Setting) -> dict[str, Any]:
    """Measure gradients and learning of nets of ReLU against those of sigmoid and tanh (document 003, Q3).

    Groups: `deep`, nets of ten hidden layers of 64, and `documented`, the document's own two of 256 and 128, each with
    ReLU, sigmoid and tanh, which learn in an order that seeds of odd number reverse. Held equal: initial weights
    (Glorot uniform, Keras's default), pictures, order, Adam at 0.001, batches of 32.
    Effects, paired within a seed, of ReLU against either other: `gradient`, the decimal logarithm of the ratio of the
    norms of the loss's gradient in the first layer's weights, before training, over 1000 training pictures; `faded`,
    by how many decades less the gradient falls from the last layer to the first (none where it does not fall);
    `accuracy`, the difference on the test split after three epochs over 10,000 training pictures drawn by the seed.
    """
    data = some_of(data_of("mnist_mlp", setting), 10_000, setting.seed)
    return vanishing_values(data, seed=setting.seed, say=setting.say)


def vanishing_values(
    data: Dataset, *, seed: int, say: Say, depth: int = 10, width: int = 64, epochs: int = 3
) -> dict[str, Any]:
    """Return the values of `relu_vanishing` for the training split of `data`."""
    nets = {"deep": (width,) * depth, "documented": spec("mnist_mlp").defaults["units"]}
    values: dict[str, Any] = {}
    evidence = {}
    for net, units in nets.items():
        calls = {name: partial(_measured, name, units, data, seed, epochs) for name in _ACTIVATIONS}
        found = counterbalanced(calls, seed)
        for name, one in found.items():
            say(f"{net}, {name}: first layer's gradient {one['norms'][0]:.3g}, test accuracy {one['accuracy']:.4f}")
        relu = found["relu"]
        values[net] = {
            name: {
                "gradient": rounded(math.log10(relu["norms"][0] / other["norms"][0])),
                "faded": rounded(faded(other["norms"]) - faded(relu["norms"])),
                "accuracy": rounded(relu["accuracy"] - other["accuracy"]),
            }
            for name, other in found.items()
            if name != "relu"
        }
        evidence[net] = {
            "gradient_norms": rounded({name: one["norms"] for name, one in found.items()}, 4),
            "accuracy": rounded({name: one["accuracy"] for name, one in found.items()}),
        }
    return {**values, "evidence": evidence}


def faded(norms: Sequence[float]) -> float:
    """Return by how many decades the first of the layers' gradients is smaller than the last; 0 where it is not."""
    return max(0.0, math.log10(norms[-1] / norms[0]))


def _measured(activation: str, units: tuple[int, ...], data: Dataset, seed: int, epochs: int) -> dict[str, Any]:
    model = _net(activation, units, seed)
    norms = gradient_norms(model, data.x_train[:1000], data.y_train[:1000])
    return {"norms": norms, "accuracy": _accuracy(model, data, seed, epochs)}


def gradient_norms(model: keras.Model, x: Any, y: Any) -> list[float]:
    """Return the norm of the loss's gradient in the weights of each layer, from the first to the last.

    float64 norms of float32 gradients: a sum of squares would underflow where the gradients vanish.
    """
    kernels = [variable for variable in model.trainable_variables if variable.name == "kernel"]
    with tf.GradientTape() as tape:
        loss = model.compute_loss(y=tf.constant(y), y_pred=model(tf.constant(x), training=True))
    gradients = tape.gradient(loss, [kernel.value for kernel in kernels])
    return [float(np.linalg.norm(np.asarray(gradient, np.float64))) for gradient in gradients]


def _net(activation: str, units: tuple[int, ...], seed: int) -> keras.Model:
    recipe = spec("mnist_mlp").recipe
    keras.utils.set_random_seed(seed)
    x = inputs = keras.Input((784,))
    for size in units:
        x = keras.layers.Dense(size, activation=activation)(x)  # (B, size)
    model = keras.Model(inputs, keras.layers.Dense(10, activation="softmax")(x))
    model.compile(optimizer=recipe.optimizer, loss=recipe.loss, metrics=list(recipe.metrics))
    return model


def _accuracy(model: keras.Model, data: Dataset, seed: int, epochs: int) -> float:
    batch = spec("mnist_mlp").recipe.batch_size
    fitted(model, data.x_train, data.y_train, batch_size=batch, epochs=epochs, seed=seed)
    return float(engine.evaluate(model, data.x_test, data.y_test, batch_size=1000)["accuracy"])
