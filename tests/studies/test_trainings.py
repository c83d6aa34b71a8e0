"""The experiments that train, with few synthetic examples: what their values hold, and that pairs are pairs."""

import base64

import numpy as np
import pytest

from kerazoo import Dataset, build, load_data
from kerazoo.data.text import windows
from kerazoo.lazy import tf
from kerazoo.ledger.study import load_study
from kerazoo.ledger.values import beside, is_number, look_up
from kerazoo.studies.articles.experiments import (
    compression,
    dropout,
    keras_ids,
    optimizers,
    overfitting,
    parts,
    pretraining,
    reviews,
    scaling,
    size_and_data,
    trainings,
    transfer,
    vanishing,
)

STUDY = load_study()
pytestmark = pytest.mark.usefixtures("uncompiled")


def quiet(text):
    """Say nothing."""


def wanted_of(check):
    """Return the paths of all numbers that the ledger's entries want of an experiment."""
    entries = [entry for entry in STUDY.entries if entry.check == check]
    assert entries
    return [path for entry in entries for path in (entry.value, *entry.parts.values(), *entry.beside.values())]


def lacking(check, values):
    """Return the wanted paths at which the experiment's `values` have no number."""
    return [path for path in wanted_of(check) if not is_number(look_up(values, path))]


@pytest.fixture
def compiled(uncompiled, monkeypatch):
    """The engine's compiled loops all the same, for hundreds of steps."""
    monkeypatch.delenv("KERAZOO_PLAIN")
    tf.config.run_functions_eagerly(False)


@pytest.fixture(scope="module")
def digits():
    """Ten fuzzy patterns: 96 to train and 64 to test."""
    random = np.random.default_rng(0)
    patterns, labels = random.uniform(size=(10, 784)), np.arange(160) % 10
    x = np.clip(patterns[labels] + random.normal(0, 0.3, (160, 784)), 0, 1).astype(np.float32)
    y = labels.astype(np.int32)
    return Dataset("mnist", "1", "generated", x[:96], y[:96], x[96:], y[96:])


@pytest.mark.parametrize("name", [name for name, one in STUDY.experiments.items() if one.seeds > 1])
def test_what_has_chance_in_it_is_measured_with_enough_seeds(name):
    found = STUDY.experiments[name]
    assert found.seeds >= (20 if found.data == ("mnist",) and not name.startswith("corrected") else 3)


@pytest.mark.usefixtures("compiled")
def test_the_toy_logs_every_hundred_epochs_and_a_seed_gives_its_values_again():
    data = load_data("toy_mlp")
    values = trainings.toy_values(data, seed=0, epochs=200)
    log = values["evidence"]["loss"]
    assert values["log_lines"] == len(log) == 2
    assert values["falls"] == pytest.approx(log[0] - log[1], abs=1e-4)
    assert values["loss"] == log[-1]
    assert sum(values["p_01"]) == pytest.approx(1, abs=1e-4)
    assert all(word in beside(values, "p_01.0", "note") for word in ("softmax", "Glorot"))
    assert trainings.toy_values(data, seed=0, epochs=100)["evidence"]["loss"] == log[:1]


def test_mistakes_counts_true_against_predicted_and_puts_the_hardest_first():
    labels = np.array([3, 3, 5], np.int32)
    probabilities = np.full((3, 10), 0.01, np.float32)
    probabilities[0, 3] = probabilities[1, 8] = probabilities[2, 5] = 0.91
    probabilities[1, 3] = 0.001
    found = trainings.mistakes(probabilities, np.zeros((3, 784), np.float32), labels)
    matrix = np.array(found["confusion_matrix"])
    assert (matrix[3, 3], matrix[3, 8], matrix[5, 5], matrix.sum()) == (1, 1, 1, 3)
    hardest = found["hardest"][0]
    assert {key: hardest[key] for key in ("index", "label", "predicted")} == {"index": 1, "label": 3, "predicted": 8}
    assert (hardest["probability"], hardest["confidence"]) == (0.001, 0.91)
    assert base64.b64decode(hardest["png"]).startswith(b"\x89PNG")


def test_reviews_are_validated_each_epoch_and_then_trained_on():
    random = np.random.default_rng(0)
    x, y = random.integers(2, 50, (64, 100)).astype(np.int32), (np.arange(64) % 2).astype(np.int32)
    data = Dataset("imdb", "1", "generated", x[:32], y[:32], x[32:], y[32:])
    small = {"vocab_size": 50, "embedding_dim": 4, "units": 4}
    values = reviews.reviews_values(data, seed=0, say=quiet, epochs=2, more_epochs=1, **small)
    assert {name: len(series) for name, series in values["history"].items()} == dict.fromkeys(
        ("loss", "accuracy", "val_loss", "val_accuracy"), 2
    )
    assert values["accuracy"] == pytest.approx(values["history"]["val_accuracy"][-1], abs=1e-4)
    after, before = values["fine_tuning"], values["history"]
    gain = {
        "accuracy": after["val_accuracy"][0] - before["val_accuracy"][-1],
        "loss": before["val_loss"][-1] - after["val_loss"][0],
    }
    assert values["fine_tuning_gain"] == pytest.approx(gain, abs=1e-4)
    rise = before["val_accuracy"][1] - before["val_accuracy"][0]
    assert values["slope"] == pytest.approx({"ten_epochs": rise, "last_five": rise}, abs=1e-4)
    assert values["below_guessing"]["test"] == pytest.approx(np.log(2) - before["val_loss"][-1], abs=1e-4)
    assert min(values["us_per_sample"][which] for which in ("first", "later")) > 0
    plain = reviews.plain_values(data, seed=0, say=quiet, epochs=2, **small)
    assert plain.keys() < values.keys() and len(plain["history"]["val_loss"]) == 2


def test_keras_ids_are_ranks_in_the_training_split_behind_three_others():
    known = keras_ids.ranks(["The the<br /><br />The film, isn't it?", "a FILM"])
    assert list(known) == ["the", "br", "film", "isn't", "it", "a"]
    assert keras_ids.ids_of("The film: new! A", known, size=9) == [1, 4, 6, 2]  # "new" is left out, "a" too rare


def test_text_values_tell_loss_and_the_share_of_known_words():
    data = windows({"train": "to be or not to be " * 20, "test": "to be or not " * 5}, "text", "1", "generated")
    known = {"to", "be", "or", "not"}
    values = trainings.text_values(data, known, seed=0, say=quiet, epochs=1, length=40)
    assert values["perplexity"] == pytest.approx(np.exp(values["loss"]), rel=1e-4)
    assert 0 <= values["word_share"] <= 1
    # The last 25 characters of the test text are cut off its beginning: the first word may be a part.
    assert values["evidence"]["word_share_of_test_text"] > values["evidence"]["word_share_of_shuffled_test_text"]
    chance = values["evidence"]["word_share_of_shuffled_test_text"]
    assert values["above_chance"] == pytest.approx(values["word_share"] - chance, abs=1e-4)
    assert lacking("textgen_lstm_training", values) == []
    assert values["sample"]


def test_word_share_is_a_share_of_words_and_case_counts():
    assert trainings.word_share("Thou art, 'tis zzgh!", {"Thou", "art", "tis"}) == 0.75
    assert trainings.word_share("thou", {"Thou"}) == 0
    assert trainings.word_share("12 ?!", {"12"}) == 0


@pytest.fixture
def untrained(monkeypatch):
    """Leave out the training: what is compared then differs by nothing but the initial weights."""
    for module in (dropout, overfitting):
        monkeypatch.setattr(module, "fitted", lambda model, *args, **call: model)
    monkeypatch.setattr(overfitting, "penalised", lambda model, *args, **call: model)


def test_remedies_are_paired_with_the_same_net_without_one(digits, untrained):
    values = overfitting.remedies_values(digits, seed=0, say=quiet, epochs=2)
    assert [values[name] for name in ("augmentation", "regularisation", "dropout")] == pytest.approx([0] * 3, abs=1e-4)
    plain, smaller = (values["evidence"][name] for name in ("none", "smaller"))
    assert values["smaller"] == pytest.approx(plain["loss_gap"] - smaller["loss_gap"], abs=1e-3) != 0
    better = smaller["test_accuracy"] - plain["test_accuracy"]
    assert values["test_accuracy"]["smaller"] == pytest.approx(better, abs=1e-3)
    assert lacking("overfitting_remedies", values) == []


def test_penalties_are_paired_with_the_same_weights_and_are_no_part_of_the_losses(digits, untrained):
    values = overfitting.penalties_values(digits, seed=0, epochs=1)
    for name in ("l2", "weak_l2"):
        assert list(values[name].values()) == pytest.approx([0] * 4, abs=1e-4)
    assert values["sparse"] == values["sparser"] == values["spread"] == 0
    assert lacking("weight_penalties", values) == []


def test_dropout_is_paired_with_the_same_weights_and_is_off_in_the_gap(digits, untrained):
    values = dropout.dropout_values(digits, seed=0, epochs=1)
    assert values["gap"] == 0
    assert lacking("dropout_gap", values) == []


def test_nets_with_and_without_dropout_vary_by_the_same_weights(digits, untrained):
    values = dropout.stability_values(digits, seed=0, say=quiet, nets=2)
    assert values["accuracy"] == values["loss"] == 0 < values["evidence"]["spread"]["none"]["loss"]
    assert lacking("dropout_stability", values) == []


def test_scaled_inputs_are_compared_with_those_of_255_times_the_size(digits, monkeypatch):
    seen = []
    monkeypatch.setattr(scaling, "fitted", lambda model, x, y, **call: seen.append(float(x.max())))
    values = scaling.scaling_values(digits, seed=0)
    assert seen == pytest.approx([1, 255])
    assert values["loss"] > 0
    assert lacking("unscaled_inputs", values) == []


def test_more_data_is_compared_with_the_very_weights_on_a_quarter_of_it(digits, untrained):
    values = overfitting.more_data_values(digits, seed=0)
    assert values["test_loss"] == values["test_accuracy"] == 0 != values["gap"]  # the same net, untrained
    assert lacking("more_data", values) == []


def test_four_groups_of_width_and_data_have_as_many_updates(digits, monkeypatch):
    updates = []

    def counted(model, x, y, *, batch_size, epochs, seed):
        updates.append(epochs * -(-len(x) // batch_size))
        return model

    monkeypatch.setattr(size_and_data, "fitted", counted)
    counts = {"few": 64, "many": 96}
    values = size_and_data.size_and_data_values(digits, seed=0, say=quiet, updates=12, counts=counts)
    assert updates == [12] * 4
    found = values["evidence"]
    assert values["gap"]["width_few"] == pytest.approx(
        found["wide_few"]["loss_gap"] - found["narrow_few"]["loss_gap"], abs=1e-3
    )
    assert values["test_loss"]["data"] == 0  # the same net, untrained
    losses = [found[f"{width}_many"]["test_loss"] for width in ("narrow", "wide")]
    assert values["test_loss"]["width"] == pytest.approx(losses[0] - losses[1], abs=1e-3)
    assert lacking("size_and_data", values) == []


def test_stopping_early_keeps_the_run_it_is_paired_with(digits):
    import dataclasses

    data = dataclasses.replace(digits, x_val=digits.x_test, y_val=digits.y_test[::-1])  # nothing to learn for these
    values = overfitting.stopping_values(data, seed=0, epochs=6, patience=1)
    assert values["evidence"]["epochs_until_stopped"] < 6
    gaps = [values["evidence"][name]["loss_gap"] for name in ("none", "early_stopping")]
    assert values["gap"] == pytest.approx(gaps[0] - gaps[1], abs=1e-3)
    assert lacking("early_stopping", values) == []


def test_a_penalty_makes_the_weights_smaller(digits):
    call = {"epochs": 3, "batch_size": 32, "seed": 0}
    plain = parts.fitted(build("mnist_mlp", seed=0), digits.x_train, digits.y_train, **call)
    penalised = overfitting.penalised(build("mnist_mlp", seed=0), digits, l2=0.001, **call)
    sizes = [sum((np.asarray(layer.kernel) ** 2).sum() for layer in model.layers[1:]) for model in (penalised, plain)]
    assert sizes[0] < 0.99 * sizes[1]


def test_shifted_pictures_move_by_two_pixels_at_most_and_lose_nothing_inside():
    picture = np.zeros((200, 28, 28), np.float32)
    picture[:, 10, 20] = 1
    moved = overfitting.shift(picture.reshape(200, 784), seed=0).reshape(200, 28, 28)
    _, rows, columns = np.nonzero(moved)
    assert len(rows) == 200
    assert set(rows) == {8, 9, 10, 11, 12}
    assert set(columns) == {18, 19, 20, 21, 22}


def test_some_examples_keep_their_labels_and_the_test_split(digits):
    few = parts.some_of(digits, 10, seed=1)
    places = [int(np.flatnonzero((digits.x_train == x).all(1))[0]) for x in few.x_train]
    assert len(set(places)) == 10
    assert (digits.y_train[places] == few.y_train).all()
    assert few.x_test is digits.x_test


RACES = {
    "sgd": {0.01: (9, 4.5, 0.8, 0.5), 0.1: (4, 2.0, 0.85, 0.4)},
    "adam": {0.001: (2, 1.5, 0.9, 0.1), 0.003: (3, 2.25, 0.95, 0.3)},
}


def test_optimizers_are_compared_at_default_rates_and_at_the_best_in_each_number(monkeypatch, digits):
    runs = {
        name: {
            rate: dict(zip(("epochs", "seconds", "accuracy", "loss"), run, strict=True)) for rate, run in rates.items()
        }
        for name, rates in RACES.items()
    }
    monkeypatch.setattr(optimizers, "_races", lambda *args, **options: runs)
    values = optimizers.optimizers_values(digits, seed=0, say=quiet)
    assert values["adam"] == {
        "epochs": {"default": 7, "best": 2},
        "seconds": {"default": 3, "best": 0.5},
        "accuracy": {"default": 0.1, "best": 0.1},
        "loss": {"default": 0.4, "best": 0.3},
    }


def test_every_race_begins_with_the_same_weights_and_a_fresh_optimizer(monkeypatch, digits):
    monkeypatch.setattr(optimizers, "_RATES", {"adam": (0.001, 0.002)})
    runs = optimizers._at_each_rate("adam", digits, 0, 1)
    assert runs[0.002]["loss"] != runs[0.001]["loss"]
    monkeypatch.setattr(optimizers, "_RATES", {"adam": (0.002,)})
    assert optimizers._at_each_rate("adam", digits, 0, 1)[0.002]["loss"] == runs[0.002]["loss"]


@pytest.mark.parametrize("check", ["optimizers_vs_sgd", "sgd_where_simple", "rmsprop_vs_gd"])
def test_races_give_every_number_that_the_ledger_wants(monkeypatch, digits, check):
    monkeypatch.setattr(optimizers, "_RATES", {name: rates[:1] for name, rates in optimizers._RATES.items()})
    values = {
        "optimizers_vs_sgd": lambda: optimizers.optimizers_values(digits, seed=1, say=quiet, epochs=1),
        "sgd_where_simple": lambda: optimizers.simple_values(digits, few=32, seed=0, say=quiet, epochs=1),
        "rmsprop_vs_gd": lambda: optimizers.rmsprop_values(digits, seed=0, epochs=1),
    }[check]()
    assert lacking(check, values) == []


def test_a_race_ends_at_the_target_or_at_the_cap():
    log = {"val_accuracy": [0.1, 0.93, 0.91, 0.95], "loss": [4.0, 3.0, 2.0, 1.0]}
    found = optimizers._run(log, 2.0)
    assert (found["epochs"], found["reached"], found["seconds"], found["accuracy"]) == (2, True, 4.0, 0.95)
    low = optimizers._run({**log, "val_accuracy": [0.1] * 4}, 2.0)
    assert (low["epochs"], low["reached"], low["seconds"]) == (4, False, 8.0)


def test_what_is_counterbalanced_is_done_backwards_by_odd_seeds():
    for seed, order in ((2, "ab"), (3, "ba")):
        called = []
        calls = {name: lambda name=name, called=called: called.append(name) or name for name in "ab"}
        assert parts.counterbalanced(calls, seed) == {"a": "a", "b": "b"}
        assert called == list(order)


def test_gradients_vanish_behind_sigmoids_and_have_a_norm_a_layer(digits):
    relu, sigmoid = (
        vanishing.gradient_norms(vanishing._net(name, (16,) * 6, 0), digits.x_train, digits.y_train)
        for name in ("relu", "sigmoid")
    )
    assert len(relu) == len(sigmoid) == 7
    assert sigmoid[0] < 0.01 * sigmoid[-1]
    assert relu[0] > sigmoid[0]
    assert vanishing.faded(sigmoid) > vanishing.faded(relu) >= 0


def test_what_is_inherited_is_the_hidden_layers_and_what_is_frozen_stays(digits):
    known, fresh = (build("mnist_mlp", seed=seed, num_classes=5) for seed in (0, 1))
    head = fresh.layers[-1].get_weights()
    model = fresh
    transfer.inherit(model, known)
    transfer.freeze(model, 1)
    assert [layer.trainable for layer in model.layers[1:]] == [False, True, True]
    for own, old in zip(model.layers[1:3], known.layers[1:3], strict=True):
        np.testing.assert_array_equal(own.get_weights()[0], old.get_weights()[0])
    np.testing.assert_array_equal(model.layers[-1].get_weights()[0], head[0])
    parts.fitted(model, *transfer.digits(digits.x_train, digits.y_train, 5), batch_size=32, epochs=1)
    np.testing.assert_array_equal(model.layers[1].get_weights()[0], known.layers[1].get_weights()[0])
    assert not np.array_equal(model.layers[2].get_weights()[0], known.layers[2].get_weights()[0])


def test_transfer_saves_what_scratch_needs_more_and_never_reached_counts_with_the_cap(digits, monkeypatch):
    curves = iter([[0.5, 0.9, 0.96, 0.98], [0.8, 0.86, 0.86, 0.86], [0.9, 0.9, 0.9, 0.9], [0.9, 0.98, 0.98, 0.98]])
    monkeypatch.setattr(transfer, "_curve", lambda *args: {"accuracy": next(curves), "seconds_an_update": 0.5})
    monkeypatch.setattr(transfer, "fitted", lambda model, *args, **call: model)
    values = transfer.transfer_values(digits, seed=0, say=quiet, cap=80)
    assert [values[name][f"to_{bar}"]["updates"] for name in ("frozen", "tuned") for bar in (85, 95, 97)] == [
        *(0, 60 - 80, 80 - 80),
        *(40 - 20, 60 - 40, 80 - 40),
    ]
    assert values["tuned"]["to_95"]["seconds"] == 10
    assert lacking("transfer_time", values) == []


def test_the_second_task_has_five_digits_from_0_and_turned_pictures_their_turns():
    x, labels = transfer.digits(np.arange(10), np.arange(10), 5)
    assert (x.tolist(), labels.tolist()) == ([5, 6, 7, 8, 9], [0, 1, 2, 3, 4])
    picture = np.random.default_rng(0).uniform(size=(2, 784))
    turned, angles = pretraining.turns(picture)
    assert angles.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    np.testing.assert_array_equal(turned[5], picture[1][::-1])  # two right angles: read backwards


def test_pretraining_without_labels_hides_pixels_and_reads_words_before_the_next():
    picture = np.ones((50, 784), np.float32)
    seen, whole = pretraining.hidden(picture, np.random.default_rng(0))
    assert seen.shape == whole.shape == (100, 784) and seen.dtype == np.float32
    assert abs(seen.mean() - 0.7) < 0.02 and (whole == 1).all()
    ids = np.arange(1, 101).reshape(1, 100)
    before, after = pretraining.windows(np.concatenate([ids, np.zeros((1, 100), int)]))
    assert before.shape == (4, 24) and after.tolist() == [25, 50, 75, 100]


def test_quantisation_makes_weights_and_file_smaller_and_effects_are_shares_saved(digits):
    found = compression.quantised("mnist_mlp_dropout", digits, seed=0, say=quiet, epochs=0, units=(128,))
    assert all(set(each) == {"float32", "int8"} for each in found.values())
    saved = compression.quantisation_values({"net": found})
    assert 0.5 < saved["memory_saved"]["net"] < 0.75 and 0.5 < saved["file_saved"]["net"] < 0.75
    two = dict.fromkeys(("file_bytes", "memory_bytes", "seconds", "accuracy"), {"float32": 4, "int8": 1})
    effects = compression.quantisation_values({"net": two})
    assert effects["time_saved"] == {"net": 0.75} and effects["accuracy_change"] == {"net": -3}


def test_calls_are_timed_in_turn():
    called = []
    seconds = compression.in_turn({name: lambda name=name: called.append(name) for name in "ab"}, repeats=2)
    assert called == ["a", "b"] * 3
    assert set(seconds) == {"a", "b"}


def test_rounded_numbers_are_json_numbers_of_so_many_digits():
    given = {"a": np.array([0.123456789, 2e-9]), "b": (np.float32(1) / 3, 3, True, "text")}
    assert parts.rounded(given) == {"a": [0.12346, 2e-9], "b": [0.33333, 3, True, "text"]}
