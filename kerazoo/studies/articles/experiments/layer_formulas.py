"""The formulas of a layer that document 004, section 3.1 prints, against Keras's layers in float64."""

from __future__ import annotations

from typing import Any

from kerazoo import Setting, experiment
from kerazoo.lazy import keras, np, tf
from kerazoo.studies.articles.experiments.comparing import deviation

_EXACT = 1e-12


@experiment("layer_formulas", needs=("backend:tensorflow",), quick=True)
def layer_formulas(setting: Setting) -> dict[str, Any]:
    """Compare the sum z and the gradient by its chain rule with a sigmoid layer of five units over four inputs.

    The index i, which the printed left side leaves out, is put in.
    """
    random = np.random.default_rng(setting.seed)
    w, b, a, y = random.normal(size=(5, 4)), random.normal(size=5), random.normal(size=4), random.uniform(size=5)
    layer = keras.layers.Dense(5, activation="sigmoid", dtype="float64")
    layer.build((None, 4))
    layer.set_weights([w.T, b])
    z = np.array([sum(w[i, j] * a[j] for j in range(4)) + b[i] for i in range(5)])
    weights = tf.Variable(w)
    with tf.GradientTape(persistent=True) as tape:
        before = tf.linalg.matvec(weights, a) + b
        loss = tf.reduce_sum((tf.sigmoid(before) - y) ** 2) / 2
    by_z = tape.gradient(loss, before).numpy()
    chain = [[by_z[i] * a[j] for j in range(4)] for i in range(5)]  # dz_i/dw_ij is a_j
    output = deviation(z, np.asarray(layer(a[None]))[0])
    return {
        "sum": deviation(z, before) <= _EXACT,
        "output": output <= _EXACT,
        "gradient": deviation(chain, tape.gradient(loss, weights)) <= _EXACT,
        "note": (
            f"z is the weighted sum before the activation; the neuron's output is a = activation(z), from which it is "
            f"{output:.0%} off here."
        ),
    }


@experiment("pseudocode", quick=True)
def pseudocode(setting: Setting) -> dict[str, Any]:
    """Compile the line of document 004, section 3.3 that adds a penalty to the loss, as Python."""
    line = "L = mse(y, a[-1]) + lambda * np.sum(W**2)"
    try:
        compile(line, "document 004", "exec")
    except SyntaxError as error:
        return {"compiles": False, "note": f"Python refuses it: SyntaxError, {error.msg}."}
    return {"compiles": True, "note": "Python reads it."}
