"""The exact checks: each verdict found again here by plain NumPy and finite differences, and the ledger's coverage."""

import math
import os
from types import SimpleNamespace

import numpy as np
import pytest

from kerazoo import Setting
from kerazoo.data.vocabulary import Vocabulary
from kerazoo.ledger.study import load_study
from kerazoo.ledger.verdicts import judge
from kerazoo.studies.articles.experiments import counts
from kerazoo.studies.articles.experiments.repairing import Repair, run_repaired

STUDY = load_study()
ENTRIES = {entry.id: entry for entry in STUDY.entries}

# Every line of the inventory of claims; a line may have become several entries, whose ids then begin with it.
_INVENTORY = """
000/mlp-definition 000/cross-entropy-simplified 000/softmax-gradient 000/program 000/training-log 000/printed-output
000/overfitting-remedies
001/attention-formula 001/attention-worked-example 001/title-vs-program 001/program 001/train-samples 001/val-samples
001/epoch-table 001/timing-arithmetic 001/us-per-sample 001/val-accuracy-84 001/fine-tuning-helps 001/pretrain-finetune
001/compression
002/mlp-formula 002/delta-output 002/delta-hidden 002/update-sign 002/program 002/generates-text
003/mnist-70000 003/three-layers 003/program 003/accuracy 003/forward 003/gradient-descent 003/backpropagation
003/optimizers 003/activations 003/early-stopping 003/regularisation
004/mnist-split 004/first-layer 004/program 004/cross-entropy-example 004/mse 004/sigmoid-range 004/tanh-range
004/relu-examples 004/backpropagation-code 004/linear-regression-gradient 004/dropout-keep-prob 004/weight-decay-is-l2
004/dropout-prevents-overfitting 004/rmsprop-converges-better 004/transfer-saves-time
"""
INVENTORY = _INVENTORY.split()

_measured = {}


def measured(check):
    """The values of an experiment, measured once for all tests."""
    if check not in _measured:
        _measured[check] = STUDY.experiments[check].measure(Setting(source="none"))
    return _measured[check]


def claim(id):
    entry = ENTRIES[id]
    row = {"experiment": entry.check, "revision": 1, "seed": 0, "values": measured(entry.check), "source": "none"}
    return judge(entry, [{**row, "data": {}, "environment": {}, "measured_at": "2025-01-01"}])


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


def test_every_line_of_the_inventory_is_in_the_ledger():
    assert [line for line in INVENTORY if not any(f"{id}/".startswith(f"{line}/") for id in ENTRIES)] == []
    assert [id for id in ENTRIES if not any(f"{id}/".startswith(f"{line}/") for line in INVENTORY)] == []
    assert len(ENTRIES) >= 85
    cells = {
        f"e{epoch:02}-{name}" for epoch in range(1, 11) for name in ("loss", "accuracy", "val_loss", "val_accuracy")
    }
    assert {id.split("/")[-1] for id in ENTRIES if id.startswith("001/epoch-table/")} == cells


def test_each_cell_of_the_epoch_table_is_compared_with_its_own_measurement():
    for id, entry in ENTRIES.items():
        if "/epoch-table/" in id:
            epoch, name = id.split("/")[-1].split("-")
            assert entry.value == f"history.{name}.{int(epoch[1:]) - 1}"
            assert entry.quote.endswith(f"{entry.documented:.4f}") and entry.quote.startswith(f"{name}: ")


def test_every_exact_check_is_quick_and_deterministic():
    exact = {entry.check for entry in ENTRIES.values() if entry.kind in ("formula", "arithmetic", "program")}
    assert all(STUDY.experiments[name].quick and STUDY.experiments[name].seeds == 1 for name in exact)


# --- formulas ---


def mlp_by_index_has_the_shapes_of_a_network():
    """h_ij = sigma(w_ij x_i + b_j), with every index of the right on the left."""
    x, w, b = rng.normal(size=3), rng.normal(size=(3, 4)), rng.normal(size=4)
    hidden = np.array([[sigmoid(w[i, j] * x[i] + b[j]) for j in range(4)] for i in range(3)])
    return hidden.shape == sigmoid(x @ w + b).shape


def cross_entropy_without_y_is_the_loss():
    z, y = np.array([0.3, -1.2, 0.8]), np.array([0, 0, 1])
    loss = -math.log(math.exp(z[2]) / sum(map(math.exp, z)))
    assert near(-sum(y * (z - np.log(np.exp(z).sum()))), loss)
    return near(-sum(z - np.log(np.exp(z).sum())), loss)


def softmax_gradients_are_those_of_the_loss():
    x, b, y = np.array([0.7, -1.3]), np.array([0.2, 0.1]), np.array([0.0, 1.0])

    def loss(w, b=b):
        z = w * x + b
        return -sum(y * (z - np.log(np.exp(z).sum())))

    w = np.array([0.4, -0.6])
    p = np.exp(w * x + b) / np.exp(w * x + b).sum()
    return near(slope(loss, w), (p - y) * x) and near(slope(lambda b: loss(w, b), b), p - y)


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


def output_delta_is_the_gradient():
    z, y = rng.normal(size=3), rng.uniform(size=3)
    a = sigmoid(z)
    truth = slope(lambda z: ((y - sigmoid(z)) ** 2).sum() / 2, z)
    printed = (y - a) * a * (1 - a)
    assert near(-printed, truth)
    return near(printed, truth)


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


def decay_is_the_penalty(moments):
    """Whether shrinking the weights and adding the penalty's gradient end alike; `moments` rescales gradients."""

    def descend(penalty, decay):
        w, state = np.array([1.0, -2.0]), np.zeros(2)
        for _ in range(5):
            gradient = np.array([0.3, 2.0]) * w + 0.1 + 2 * penalty * w
            state = 0.9 * state + 0.1 * gradient**2
            step = gradient / np.sqrt(state + 1e-7) if moments else gradient
            w = w - 0.01 * decay * w - 0.01 * step
        return w

    return near(descend(0.05, 0), descend(0, 0.1))


TRUTHS = {
    "000/mlp-definition": mlp_by_index_has_the_shapes_of_a_network,
    "000/cross-entropy-simplified": cross_entropy_without_y_is_the_loss,
    "000/softmax-gradient": softmax_gradients_are_those_of_the_loss,
    "001/attention-formula": attention_is_a_weighted_mean_of_the_values,
    "001/attention-worked-example": worked_example_is_attention,
    "002/mlp-formula": composed_formula_is_two_layers,
    "003/forward": composed_formula_is_two_layers,
    "002/delta-output": output_delta_is_the_gradient,
    "002/delta-hidden": hidden_delta_is_the_gradient,
    "002/update-sign": printed_update_descends,
    "003/backpropagation": chain_rule_over_the_next_layer_is_the_gradient,
    "003/gradient-descent": small_steps_down_the_gradient_lower_the_loss,
    "004/backpropagation-code": difference_from_the_target_is_every_layers_gradient,
    "004/linear-regression-gradient": regression_gradient_is_that_of_the_loss,
    "004/mse": squares_have_the_mean_that_is_printed,
    "004/weight-decay-is-l2/sgd": lambda: decay_is_the_penalty(moments=False),
    "004/weight-decay-is-l2/rmsprop": lambda: decay_is_the_penalty(moments=True),
    "004/weight-decay-is-l2/adam": lambda: decay_is_the_penalty(moments=True),
}


@pytest.mark.parametrize("id", TRUTHS)
def test_a_formula_holds_exactly_if_it_does_by_finite_differences(id):
    found = claim(id)
    assert found.verdict == ("holds" if TRUTHS[id]() else "wrong")
    assert found.note


# --- numbers ---


def test_the_cross_entropy_example_is_wrong_in_every_base():
    found = claim("004/cross-entropy-example")
    assert found.measured == pytest.approx(-(math.log(0.8) + math.log(0.9)) / 4)
    assert all(abs(found.measured / math.log(base) - 0.196) > 0.01 for base in (math.e, 2, 10))
    assert found.verdict == "wrong" and "0.0821" in found.note


def test_the_seconds_of_the_log_do_not_follow_from_its_microseconds():
    for epoch, (seconds, microseconds) in enumerate([(3, 231), (2, 205), (2, 206), *[(2, 205)] * 7], start=1):
        found = claim(f"001/timing-arithmetic/e{epoch:02}")
        assert found.documented == seconds and f"{microseconds}us" in found.quote
        assert found.measured == pytest.approx(20_000 * microseconds / 1e6)
        assert found.verdict == "wrong"


@pytest.mark.parametrize(
    ("id", "f", "limits"), [("004/sigmoid-range", sigmoid, (0, 1)), ("004/tanh-range", np.tanh, (-1, 1))]
)
def test_the_range_of_an_activation_is_open(id, f, limits):
    places = np.linspace(-15, 15, 1001)
    assert limits[0] < f(places).min() and f(places).max() < limits[1]
    found = claim(id)
    assert found.documented == list(limits) and found.measured == pytest.approx(limits, abs=1e-9)
    assert found.verdict == "holds" and measured("activations")[id[4:].split("-")[0]]["attained"] is False


def test_relu_dropout_and_layers_are_counted():
    assert (claim("004/relu-examples").verdict, claim("004/relu-examples").measured) == ("holds", [0, 0, 2])
    kept = claim("004/dropout-keep-prob")
    assert kept.verdict == "holds" and abs(kept.measured - 0.5) < 5 * math.sqrt(0.25 / 1e6)
    # 235,146 and 669,706 parameters are those of two hidden layers each, behind 784 inputs.
    assert 785 * 256 + 257 * 128 + 129 * 10 == 235_146 and 785 * 512 + 513 * 512 + 513 * 10 == 669_706
    layers, first = claim("003/three-layers"), claim("004/first-layer")
    assert (layers.measured, layers.verdict, first.measured, first.verdict) == (2, "wrong", 784, "wrong")
    assert claim("001/title-vs-program").verdict == "wrong"


def test_the_printed_output_contradicts_itself_and_the_training_data():
    labels = {(1, 0): (1, 0), (0, 1): (0, 1), (1, 1): (1, 0)}  # as the document's x_train and y_train have them
    first, second = claim("000/printed-output/labels/first"), claim("000/printed-output/labels/second")
    assert first.measured == 1 + labels[0, 1].index(1) != first.documented and first.verdict == "wrong"
    assert second.measured == 1 + labels[1, 1].index(1) != second.documented and second.verdict == "wrong"
    assert claim("000/printed-output/probabilities").verdict == "wrong"


@pytest.mark.real_data
def test_the_counts_are_those_of_the_real_data(monkeypatch):
    import tensorflow_datasets as tfds

    def as_tfds_says(name, setting):  # its metadata: the loaders have tests of their own, and take long
        builder = {"mnist_mlp": "mnist", "imdb_lstm": "imdb_reviews/plain_text"}[name]
        info = tfds.builder(builder, data_dir=os.environ["TFDS_DATA_DIR"]).info
        sizes = {split: info.splits[split].num_examples for split in ("train", "test")}
        return SimpleNamespace(
            sizes=sizes, x_train=np.array([[2, 1], [2, 2]]), vocabulary=Vocabulary.learn("a", "word")
        )

    monkeypatch.setattr(counts, "data_of", as_tfds_says)
    for check in ("mnist_counts", "imdb_counts"):
        _measured[check] = getattr(counts, check)(Setting())
    assert measured("imdb_counts")["evidence"]["reviews_with_a_word_beyond_the_vocabulary"] == 0.5
    assert {id: (claim(id).measured, claim(id).verdict) for id in ENTRIES if ENTRIES[id].check.endswith("_counts")} == {
        "001/train-samples": (25_000, "not_reproduced"),
        "001/val-samples": (25_000, "reproduced"),
        "003/mnist-70000": (70_000, "reproduced"),
        "004/mnist-split": ([60_000, 10_000], "reproduced"),
    }


# --- programs ---


@pytest.mark.parametrize(
    ("id", "failures"),
    [
        ("001/program", [("fit_on_texts", "AttributeError"), ("model.fit", "InvalidArgumentError")]),
        ("003/program", [("model.fit", "ValueError")]),
        ("004/program", []),
    ],
)
def test_a_program_fails_where_it_is_said_to_and_runs_when_repaired(id, failures):
    found = claim(id)
    assert found.verdict == ("not_runnable" if failures else "holds")
    assert len(found.repairs) == len(failures)
    for repair, (call, error) in zip(found.repairs, failures, strict=True):
        assert call in repair["call"] and repair["error"].startswith(error) and repair["what"] and repair["why"]


def test_the_names_that_a_program_lacks_are_found_in_the_order_of_its_calls(monkeypatch):
    import keras

    monkeypatch.setattr(keras.Sequential, "fit", lambda *data, **options: None)  # its result plays no part
    found = claim("002/program")
    assert found.verdict == "not_runnable"
    missing = ["vocab_size", "embedding_size", "x_train", "y_train", "x_test", "decode"]
    assert [repair["error"] for repair in found.repairs] == [f"NameError: name '{x}' is not defined" for x in missing]
    assert all(x in repair["call"] for x, repair in zip(missing, found.repairs, strict=True))


def test_the_pytorch_program_needs_floats_three_times():
    pytest.importorskip("torch")
    found = claim("000/program")
    assert found.verdict == "not_runnable"
    assert [repair["what"].split()[0] for repair in found.repairs] == ["x_train", "y_train", "x_test"]


def test_a_repair_that_is_not_needed_is_not_listed_and_a_failure_without_one_is_raised():
    def program(fixed):
        if "first" not in fixed:
            raise KeyError("a")
        return {"answer": 1}

    repairs = [Repair("first", "do this", "so"), Repair("second", "do that", "so")]
    found = run_repaired(program, repairs)
    assert [repair["what"] for repair in found["repairs"]] == ["do this"] and found["answer"] == 1
    assert found["repairs"][0]["call"] == 'raise KeyError("a")'
    with pytest.raises(KeyError):
        run_repaired(program, repairs[1:])
