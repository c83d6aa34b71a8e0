"""The formulas: each verdict found again here by plain NumPy and finite differences."""

import math

import numpy as np
import pytest
from articles import claim


def slope(f, x, step=1e-6):
    """The derivative of the number f(x) by every element of x, by central differences."""
    x = np.array(x, float)
    found = np.zeros_like(x)
    for place in np.ndindex(x.shape):
        ends = []
        for sign in (1, -1):
            moved = x.copy()
            moved[place] += sign * step
            ends.append(f(moved))
        found[place] = (ends[0] - ends[1]) / (2 * step)
    return found


def near(a, b):
    return np.allclose(a, b, rtol=1e-6, atol=1e-8)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


rng = np.random.default_rng(7)


def mlp_by_index_has_the_shapes_of_a_network():
    """h_ij = sigma(w_ij x_i + b_j), with every index of the right on the left."""
    x, w, b = rng.normal(size=3), rng.normal(size=(3, 4)), rng.normal(size=4)
    hidden = np.array([[sigmoid(w[i, j] * x[i] + b[j]) for j in range(4)] for i in range(3)])
    return hidden.shape == sigmoid(x @ w + b).shape


def cross_entropy_is_minus_the_log_of_the_true_class(with_y=True):
    z, y = np.array([0.3, -1.2, 0.8]), np.array([0, 0, 1])
    loss = -math.log(math.exp(z[2]) / sum(map(math.exp, z)))
    return near(-sum((y if with_y else 1) * (z - np.log(np.exp(z).sum()))), loss)


def softmax_gradients_are_those_of_the_loss(middle=False):
    x, b, y = np.array([0.7, -1.3]), np.array([0.2, 0.1]), np.array([0.0, 1.0])

    def loss(w, b=b):
        z = w * x + b
        return -sum(y * (z - np.log(np.exp(z).sum())))

    w = np.array([0.4, -0.6])
    p = np.exp(w * x + b) / np.exp(w * x + b).sum()
    by_z = -y / p * p * (1 - p) if middle else p - y  # the middle member: dL/dp dp/dz, the other p held fixed
    return near(slope(loss, w), by_z * x) and near(slope(lambda b: loss(w, b), b), by_z)


def a_step_down_the_softmax_gradient_lowers_the_loss():
    w, x, y = np.array([0.4, -0.6]), np.array([0.7, -1.3]), np.array([0.0, 1.0])

    def p(w):
        return np.exp(w * x) / np.exp(w * x).sum()

    return p(w - 1e-3 * (p(w) - y) * x)[1] > p(w)[1]


def attention_is_a_weighted_mean_of_the_values():
    from kerazoo.layers import attend

    q, k, v = rng.normal(size=(3, 2)), rng.normal(size=(4, 2)), rng.normal(size=(4, 5))
    rows = []
    for one in q:
        powers = [math.exp(sum(a * b for a, b in zip(one, key, strict=True)) / math.sqrt(2)) for key in k]
        rows.append(sum(power * value for power, value in zip(powers, v, strict=True)) / sum(powers))
    return near(np.array(attend(q[None], k[None], v[None])[0][0]), rows)


def worked_example_is_attention():
    q, k, v = (0.5, 1.0, -1.0), (1.0, 0.2, 0.4), (1.0, 2.0, 3.0)
    own = [math.exp(a * b) for a, b in zip(q, k, strict=True)]
    printed = sum(p * c for p, c in zip(own, v, strict=True)) / sum(own)
    attended = []
    for a in q:
        powers = [math.exp(a * b) for b in k]  # d_k = 1
        attended.append(sum(p * c for p, c in zip(powers, v, strict=True)) / sum(powers))
    return near(attended, printed)


def perceptron(x, w1, b1, w2, b2):
    return sigmoid(w2 @ sigmoid(w1 @ x + b1) + b2)


def composed_formula_is_two_layers():
    import keras

    w1, w2, x = rng.normal(size=(3, 2)), rng.normal(size=(2, 3)), rng.normal(size=2)
    b1, b2 = rng.normal(size=3), rng.normal(size=2)
    model = keras.Sequential([keras.Input((2,)), *(keras.layers.Dense(n, activation="sigmoid") for n in (3, 2))])
    model.set_weights([w1.T, b1, w2.T, b2])
    return np.allclose(np.array(model(x[None]))[0], perceptron(x, w1, b1, w2, b2), atol=1e-6)


def output_delta_is_the_gradient_or_its_negative():
    z, y = rng.normal(size=3), rng.uniform(size=3)
    a = sigmoid(z)
    truth = slope(lambda z: ((y - sigmoid(z)) ** 2).sum() / 2, z)
    printed = (y - a) * a * (1 - a)
    return near(printed, truth) or near(-printed, truth)


def hidden_delta_is_the_gradient():
    w, z, y = rng.normal(size=(3, 3)), rng.normal(size=3), rng.uniform(size=3)
    after = w @ sigmoid(z)
    delta = slope(lambda z: ((y - sigmoid(z)) ** 2).sum() / 2, after)
    truth = slope(lambda z: ((y - sigmoid(w @ sigmoid(z))) ** 2).sum() / 2, z)
    assert near(w.T @ delta * sigmoid(z) * (1 - sigmoid(z)), truth)
    return near(w.T @ delta, truth) or near(w @ delta, truth)


def printed_update_descends():
    w, a, y = rng.normal(size=(2, 3)), rng.uniform(size=3), rng.uniform(size=2)

    def loss(w):
        return ((y - sigmoid(w @ a)) ** 2).sum() / 2

    out = sigmoid(w @ a)
    delta = (y - out) * out * (1 - out)
    return loss(w - 1e-3 * np.outer(delta, a)) < loss(w)


def chain_rule_over_the_next_layer_is_the_gradient():
    w1, w2, x, y = rng.normal(size=(3, 2)), rng.normal(size=(2, 3)), rng.normal(size=2), rng.uniform(size=2)

    def after(w1):
        return w2 @ np.tanh(w1 @ x)

    def loss(z):
        return ((y - np.tanh(z)) ** 2).sum() / 2

    by_z = slope(loss, after(w1))
    terms = [by_z[k] * slope(lambda w, k=k: after(w)[k], w1) for k in range(2)]
    return near(sum(terms), slope(lambda w: loss(after(w)), w1))


def difference_from_the_target_is_every_layers_gradient():
    """dZ = a - y, with sigmoids and cross-entropy; all layers as wide as the output."""
    w2, z, y = rng.normal(size=(3, 3)), rng.normal(size=3), np.array([1.0, 0.0, 1.0])

    def loss(z):
        out = sigmoid(w2 @ sigmoid(z))
        return -(y * np.log(out) + (1 - y) * np.log(1 - out)).sum()

    return near(sigmoid(z) - y, slope(loss, z))


def regression_gradient_is_that_of_the_loss():
    x, y = rng.normal(size=(2, 9))

    def loss(p):
        return sum((y - p[0] * x - p[1]) ** 2) / 2

    residual = y - 0.3 * x + 0.2
    return near(slope(loss, [0.3, -0.2]), [-(residual * x).sum(), -residual.sum()])


def small_steps_down_the_gradient_lower_the_loss():
    x, y, theta = rng.normal(size=(9, 3)), rng.normal(size=9), rng.normal(size=3)

    def loss(theta):
        return ((np.tanh(x @ theta) - y) ** 2).mean()

    return loss(theta - 1e-3 * slope(loss, theta)) < loss(theta)


def squares_have_the_mean_that_is_printed():
    import keras

    y, guess = [1.0, 2.0, 4.0], [1.5, 2.0, 2.0]
    return near(float(keras.losses.MeanSquaredError()(y, guess)), (0.25 + 0 + 4) / 3)


def the_slope_of_lambda_w_squared_is_that_of_the_l2_penalty():
    import keras

    w = rng.normal(size=6)
    penalty = slope(lambda w: float(keras.regularizers.L2(0.3)(np.array(w, np.float64))), w, step=1e-2)
    return np.allclose(penalty, 2 * 0.3 * w, atol=1e-4)


def cross_entropy_is_the_sum_over_samples_and_classes():
    y, p = np.eye(3)[[0, 2]], np.array([[0.7, 0.2, 0.1], [0.3, 0.3, 0.4]])
    return near(-(y * np.log(p)).sum() / 2, -(math.log(0.7) + math.log(0.4)) / 2)


def the_sum_over_samples_is_the_binary_cross_entropy():
    y, p = np.array([1, 0, 1, 0]), np.array([0.8, 0.2, 0.9, 0.1])
    return near(-(y * np.log(p)).mean(), -(y * np.log(p) + (1 - y) * np.log(1 - p)).mean())


def small_steps_along_the_gradient_lower_the_loss():
    theta = rng.normal(size=3)

    def loss(theta):
        return float((np.asarray(theta) ** 2).sum())

    return loss(theta + 1e-3 * slope(loss, theta)) < loss(theta)


TRUTHS = {
    "000/mlp-definition": mlp_by_index_has_the_shapes_of_a_network,
    "000/cross-entropy": cross_entropy_is_minus_the_log_of_the_true_class,
    "000/cross-entropy-simplified/step": cross_entropy_is_minus_the_log_of_the_true_class,
    "000/cross-entropy-simplified": lambda: cross_entropy_is_minus_the_log_of_the_true_class(with_y=False),
    "000/update": a_step_down_the_softmax_gradient_lowers_the_loss,
    "001/attention-formula": attention_is_a_weighted_mean_of_the_values,
    "001/attention-worked-example": worked_example_is_attention,
    "002/mlp-formula": composed_formula_is_two_layers,
    "002/forward": composed_formula_is_two_layers,
    "003/forward": composed_formula_is_two_layers,
    "002/delta-output": output_delta_is_the_gradient_or_its_negative,
    "002/delta-hidden": hidden_delta_is_the_gradient,
    "002/update-sign": printed_update_descends,
    "003/backpropagation": chain_rule_over_the_next_layer_is_the_gradient,
    "003/gradient-descent": small_steps_down_the_gradient_lower_the_loss,
    "004/backpropagation-code": difference_from_the_target_is_every_layers_gradient,
    "004/linear-regression-gradient": regression_gradient_is_that_of_the_loss,
    "004/mse": squares_have_the_mean_that_is_printed,
    "004/weight-decay-is-l2": the_slope_of_lambda_w_squared_is_that_of_the_l2_penalty,
    "004/cross-entropy": cross_entropy_is_the_sum_over_samples_and_classes,
    "004/cross-entropy-example/formula": the_sum_over_samples_is_the_binary_cross_entropy,
    "004/along-the-gradient": small_steps_along_the_gradient_lower_the_loss,
    "004/update": small_steps_down_the_gradient_lower_the_loss,
}


def test_the_softmax_gradient_is_right_but_for_its_middle():
    assert softmax_gradients_are_those_of_the_loss() and not softmax_gradients_are_those_of_the_loss(middle=True)
    assert claim("000/softmax-gradient").verdict == "mixed"


@pytest.mark.parametrize("id", TRUTHS)
def test_a_formula_holds_exactly_if_it_does_by_finite_differences(id):
    found = claim(id)
    assert found.verdict == ("holds" if TRUTHS[id]() else "wrong")
    assert found.note
