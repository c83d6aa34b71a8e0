"""Whether ReLU avoids vanishing gradients: a deep net, its gradients layer by layer, and what it learns."""

from __future__ import annotations

import math
from typing import Any

from kerazoo import Dataset, Setting, engine, experiment, spec
from kerazoo.lazy import keras, np, tf
from kerazoo.studies.articles.experiments.parts import Say, data_of, fitted, rounded, some_of

_ACTIVATIONS = ("relu", "sigmoid", "tanh")


@experiment("relu_vanishing", needs=("mnist", "backend:tensorflow"), seeds=5, minutes=0.25)
def relu_vanishing(setting: Setting) -> dict[str, Any]:
    """Measure the gradients of a deep net of ReLU against one of sigmoids, and what either learns (document 003, Q3).

    Groups: nets of ten hidden layers of 64 with ReLU and with sigmoid, and, as evidence only, with tanh; also as
    evidence, the document's own net of two hidden layers with each. Held equal: initial weights (Glorot uniform,
    Keras's default), pictures, order, Adam at 0.001, batches of 32.
    Effects, paired within a seed: `gradient`, the decimal logarithm of the ratio, ReLU to sigmoid, of the norms of the
    loss's gradient in the first layer's weights, before training, over 1000 training pictures; `accuracy`, ReLU's
    minus sigmoid's on the test split after three epochs over 10,000 training pictures drawn by the seed.
    """
    data = some_of(data_of("mnist_mlp", setting), 10_000, setting.seed)
    return vanishing_values(data, seed=setting.seed, say=setting.say)


def vanishing_values(
    data: Dataset, *, seed: int, say: Say, depth: int = 10, width: int = 64, epochs: int = 3
) -> dict[str, Any]:
    """Return the values of `relu_vanishing` for the training split of `data`."""
    documented = spec("mnist_mlp").defaults["units"]
    norms, accuracy, shallow = {}, {}, {}
    for name in _ACTIVATIONS:
        deep = _net(name, (width,) * depth, seed)
        norms[name] = gradient_norms(deep, data.x_train[:1000], data.y_train[:1000])
        accuracy[name] = _accuracy(deep, data, seed, epochs)
        shallow[name] = _accuracy(_net(name, documented, seed), data, seed, epochs)
        say(f"{name}: first layer's gradient {norms[name][0]:.3g}, test accuracy {accuracy[name]:.4f}")
    return {
        "gradient": rounded(math.log10(norms["relu"][0] / norms["sigmoid"][0])),
        "accuracy": rounded(accuracy["relu"] - accuracy["sigmoid"]),
        "note": f"Against sigmoid, in {depth} hidden layers; tanh and the document's own net are given as evidence.",
        "evidence": {
            "gradient_norms": rounded(norms, 4),
            "accuracy": rounded(accuracy),
            "accuracy_of_the_documented_net": rounded(shallow),
        },
    }


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
