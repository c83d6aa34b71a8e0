"""The documents' rules of backpropagation against automatic differentiation, in float64 on random networks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kerazoo import Setting, experiment
from kerazoo.lazy import np, tf
from kerazoo.studies.articles.experiments.comparing import deviation

_EXACT = 1e-10
_ACTIVATIONS = ("sigmoid", "tanh")


@experiment("backpropagation", needs=("backend:tensorflow",), quick=True, revision=2)
def backpropagation(setting: Setting) -> dict[str, Any]:
    """Check documents 002 (section 4.2) and 003 (section 3.3); document 004's code has an experiment of its own."""
    random = np.random.default_rng(setting.seed)
    return {
        "delta_output": _delta_output(random),
        "delta_hidden": _delta_hidden(random),
        "update_sign": _update(random),
        "chain_rule": _chain_rule(random),
    }


class Network:
    """A random network of dense layers z_l = W_l a_{l-1} + b_l, a_l = sigma(z_l), on one column vector.

    `z[l]` and `a[l]` are kept for every layer; the loss is |y - a_L|^2 / 2 unless another is given.
    """

    def __init__(self, random: Any, widths: tuple[int, ...], activation: str = "sigmoid") -> None:
        self.sigma = {"sigmoid": tf.sigmoid, "tanh": tf.tanh}[activation]
        self.x, self.y = (tf.constant(random.uniform(size=(size, 1))) for size in (widths[0], widths[-1]))
        shapes = list(zip(widths[1:], widths, strict=False))
        self.w = [tf.constant(random.normal(size=shape)) for shape in shapes]
        self.b = [tf.constant(random.normal(size=(units, 1))) for units, _ in shapes]

    def forward(self, watch: Callable[[Any], None] = lambda tensor: None) -> Any:
        """Return the loss; `watch` is told every weight, bias, z and a on the way."""
        self.a, self.z = [self.x], []
        for w, b in zip(self.w, self.b, strict=True):
            watch([w, b])
            z = w @ self.a[-1] + b
            watch(z)
            a = self.sigma(z)
            watch(a)
            self.z.append(z)
            self.a.append(a)
        return tf.reduce_sum((self.y - self.a[-1]) ** 2) / 2

    def slope(self, layer: int) -> Any:
        """Return d sigma/dz at z of `layer`, counted from 0."""
        with tf.GradientTape() as tape:
            tape.watch(self.z[layer])
            out = self.sigma(self.z[layer])
        return tape.gradient(out, self.z[layer]).numpy()

    def gradients(self) -> tuple[list[Any], list[Any], list[Any]]:
        """Return the derivatives of the loss by every W, b and z, by automatic differentiation."""
        with tf.GradientTape() as tape:
            loss = self.forward(tape.watch)
        found = tape.gradient(loss, [*self.w, *self.b, *self.z])
        size = len(self.w)
        arrays = [part.numpy() for part in found]
        return arrays[:size], arrays[size : 2 * size], arrays[2 * size :]


def _delta_output(random: Any) -> dict[str, Any]:
    """Compare (y - a) dsigma/dz of the output layer with dL/dz, and with -dL/dz, as some define the error."""
    error, reversed_error = 0.0, 0.0
    for activation in _ACTIVATIONS:
        net = Network(random, (4, 3), activation)
        truth = net.gradients()[2][-1]
        printed = (net.y - net.a[-1]).numpy() * net.slope(-1)
        error = max(error, deviation(printed, truth))
        reversed_error = max(reversed_error, deviation(-printed, truth))
    return {
        "true": min(error, reversed_error) <= _EXACT,
        "error": error,
        "error_with_sign_reversed": reversed_error,
        "note": (
            f"With L = |y - a|^2 / 2 it is -dL/dz (deviation {reversed_error:.1g}), the negative gradient, which is a "
            "convention of its own right; the update then has to add it. The one printed with it subtracts."
        ),
    }


def _delta_hidden(random: Any) -> dict[str, Any]:
    """Compare delta_l W_{l+1}^T, in every way it may be read, with dL/dz of the layer before."""
    errors: dict[str, float] = {"W_l": 0.0, "W_(l+1)": 0.0, "corrected": 0.0}
    for activation in _ACTIVATIONS:
        net = Network(random, (4, 4, 4, 4), activation)  # as wide everywhere, so that every product exists
        deltas = net.gradients()[2]
        before, here = deltas[0], deltas[1]  # l is the middle layer; layers are counted from 0
        for name, w in (("W_l", net.w[1].numpy()), ("W_(l+1)", net.w[2].numpy())):
            nearest = min(deviation(product, before) for product in (w.T @ here, w @ here))
            errors[name] = max(errors[name], nearest)
        right = net.w[1].numpy().T @ here * net.slope(0)
        errors["corrected"] = max(errors["corrected"], deviation(right, before))
    printed = min(errors["W_l"], errors["W_(l+1)"])
    return {
        "true": printed <= _EXACT,
        "error": printed,
        "error_with_factor": errors["corrected"],
        "note": (
            "It lacks the factor sigma'(z_(l-1)), and the weights between the two layers are W_l, not W_{l+1}: "
            f"(W_l^T delta_l) * sigma'(z_(l-1)) agrees with automatic differentiation (deviation "
            f"{errors['corrected']:.1g}), the printed product does not with either weights, in either order."
        ),
    }


def _update(random: Any, trials: int = 100, rate: float = 1e-3) -> dict[str, Any]:
    """Take the printed step in the output layer with the document's own delta; compare it with descent."""
    error, reversed_error, higher = 0.0, 0.0, 0
    for trial in range(trials):
        net = Network(random, (4, 3), _ACTIVATIONS[trial % 2])
        by_w, by_b, _ = net.gradients()
        delta = (net.y - net.a[-1]).numpy() * net.slope(-1)
        # The document writes delta_l a_{l-1}; of two vectors only the outer product has the shape of W.
        steps = [-rate * delta @ net.a[0].numpy().T, -rate * delta]
        truth = [-rate * by_w[0], -rate * by_b[0]]
        error = max(error, *map(deviation, steps, truth))
        reversed_error = max(reversed_error, *(deviation(-step, true) for step, true in zip(steps, truth, strict=True)))
        before = net.forward()
        net.w, net.b = [net.w[0] + steps[0]], [net.b[0] + steps[1]]
        higher += bool(net.forward() > before)
    return {
        "true": error <= _EXACT,
        "error": error,
        "error_with_sign_reversed": reversed_error,
        "loss_rises": higher / trials,
        "note": (
            "Wrong in sign with the document's own delta_l = (y - a_l) dsigma/dz: the step climbs, and the loss rose "
            f"in {higher} of {trials} random networks. With delta_l = dL/dz, or a plus here, it is right; the "
            "product has to be the outer one, delta_l a_{l-1}^T."
        ),
    }


def _chain_rule(random: Any) -> dict[str, Any]:
    """Put together dL/dw_l from the Jacobians of the next layer's outputs, for z before and after the activation."""
    net = Network(random, (5, 4, 3, 2))
    by_w, by_b, _ = net.gradients()
    error = 0.0
    for layer in range(len(net.w) - 1):
        for after in (False, True):
            with tf.GradientTape(persistent=True) as tape:
                loss = net.forward(tape.watch)
                outputs = net.a[layer + 2] if after else net.z[layer + 1]
            by_outputs = tape.gradient(loss, outputs)
            for parameter, truth in ((net.w[layer], by_w[layer]), (net.b[layer], by_b[layer])):
                jacobian = tape.jacobian(
                    outputs, parameter, experimental_use_pfor=False
                )  # (units, 1, *shape of the parameter)
                printed = sum(by_outputs[k, 0] * jacobian[k, 0] for k in range(len(outputs)))
                error = max(error, deviation(printed, truth))
    return {
        "true": error <= _EXACT,
        "error": error,
        "note": (
            "The chain rule over all outputs of the next layer, before or after its activation. For the last layer, "
            "which has no next one, the loss itself takes that place."
        ),
    }
