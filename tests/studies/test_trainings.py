"""The experiments that train, with few synthetic examples: what their values hold, and that pairs are pairs."""

import base64
from types import SimpleNamespace

import numpy as np
import pytest

from kerazoo import Dataset, build, load_data
from kerazoo.data.text import windows
from kerazoo.ledger.study import load_study
from kerazoo.ledger.values import beside, is_number, look_up
from kerazoo.studies.articles.experiments import (
    compression,
    keras_ids,
    optimizers,
    overfitting,
    parts,
    pretraining,
    reviews,
    trainings,
    transfer,
    vanishing,
)

STUDY = load_study()


def quiet(text):
    """Say nothing."""


def told_beside(check, count):
    """Return the paths that the ledger's entries of an experiment want told beside their effects."""
    told = [entry.beside for entry in STUDY.entries if entry.check == check]
    assert len(told) == count and all(told)
    return [path for paths in told for path in paths.values()]


@pytest.fixture(scope="module")
def digits():
    """Ten fuzzy patterns: 96 to train and 64 to test."""
    random = np.random.default_rng(0)
    patterns, labels = random.uniform(size=(10, 784)), np.arange(160) % 10
    x = np.clip(patterns[labels] + random.normal(0, 0.3, (160, 784)), 0, 1).astype(np.float32)
    y = labels.astype(np.int32)
    return Dataset("mnist", "1", "generated", x[:96], y[:96], x[96:], y[96:])


@pytest.mark.parametrize(
    ("name", "seeds"),
    [
        *[("toy_mlp_training", 5), ("mnist_mlp_training", 5), ("mnist_mlp_dropout_training", 5)],
        *[("imdb_lstm_training", 5), ("textgen_lstm_training", 3), ("overfitting_remedies", 5)],
        *[("early_stopping", 5), ("l2_regularisation", 5), ("dropout_gap", 5), ("optimizers_vs_sgd", 5)],
        *[("rmsprop_vs_gd", 5), ("relu_vanishing", 5), ("transfer_time", 5), ("pretrain_finetune", 20)],
        *[("quantisation", 5), ("distributed_time", 5), ("pretrain_reviews", 5)],
        *[("imdb_lstm_plain_keras", 5), ("imdb_lstm_keras_ids", 5)],
    ],
)
def test_the_catalog_has_the_experiment_with_enough_seeds(name, seeds):
    found = STUDY.experiments[name]
    assert found.seeds == seeds
    assert found.data or name == "toy_mlp_training"  # whatever needs data says so, or it would be run on none


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
    assert values["us_per_sample"]["first"] > values["us_per_sample"]["later"] > 0
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
    assert values["sample"]


def test_word_share_is_a_share_of_words_and_case_counts():
    assert trainings.word_share("Thou art, 'tis zzgh!", {"Thou", "art", "tis"}) == 0.75
    assert trainings.word_share("thou", {"Thou"}) == 0
    assert trainings.word_share("12 ?!", {"12"}) == 0


@pytest.fixture
def untrained(monkeypatch):
    """Leave out the training: what is compared then differs by nothing but the initial weights."""
    monkeypatch.setattr(overfitting, "fitted", lambda model, *args, **call: model)
    monkeypatch.setattr(overfitting, "penalised", lambda model, *args, **call: model)


def test_remedies_are_paired_with_the_same_net_without_one(digits, untrained):
    values = overfitting.remedies_values(digits, seed=0, say=quiet, epochs=2)
    assert [values[name] for name in ("augmentation", "regularisation", "dropout")] == pytest.approx([0] * 3, abs=1e-4)
    plain, smaller = (values["evidence"][name] for name in ("none", "smaller"))
    assert values["smaller"] == pytest.approx(plain["loss_gap"] - smaller["loss_gap"], abs=1e-3) != 0
    better = smaller["test_accuracy"] - plain["test_accuracy"]
    assert values["test_accuracy"]["smaller"] == pytest.approx(better, abs=1e-3)
    assert all(is_number(look_up(values, path)) for path in told_beside("overfitting_remedies", count=4))


def test_a_penalty_is_paired_with_the_same_weights_and_is_no_part_of_the_gap(digits, untrained):
    values = overfitting.l2_values(digits, seed=0, epochs=1)
    assert values["gap"] == pytest.approx(0, abs=1e-4)
    for check in ("l2_regularisation", "early_stopping", "dropout_gap"):  # all by `against`
        assert all(is_number(look_up(values, path)) for path in told_beside(check, count=1))


def test_dropout_is_paired_with_the_same_weights_and_is_off_in_the_gap(digits, untrained):
    assert overfitting.dropout_values(digits, seed=0, epochs=1)["gap"] == 0


def test_stopping_early_keeps_the_run_it_is_paired_with(digits):
    import dataclasses

    data = dataclasses.replace(digits, x_val=digits.x_test, y_val=digits.y_test[::-1])  # nothing to learn for these
    values = overfitting.stopping_values(data, seed=0, epochs=6, patience=1)
    assert values["evidence"]["epochs_until_stopped"] < 6
    gaps = [values["evidence"][name]["loss_gap"] for name in ("none", "early_stopping")]
    assert values["gap"] == pytest.approx(gaps[0] - gaps[1], abs=1e-3)


def test_a_penalty_makes_the_weights_smaller(digits):
    call = {"epochs": 3, "batch_size": 32, "seed": 0}
    plain = parts.fitted(build("mnist_mlp", seed=0), digits.x_train, digits.y_train, **call)
    penalised = overfitting.penalised(build("mnist_mlp", seed=0), digits, **call)
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


def test_optimizers_are_compared_by_when_they_reach_the_target(monkeypatch, digits):
    def race(optimizer, data, seed, epochs, target):
        sgd = type(optimizer).__name__ == "SGD" and not optimizer.momentum
        return {"epochs": 9 if sgd else 2, "seconds": 4.5 if sgd else 1.5, "accuracy": 0.8 if sgd else 0.9}

    monkeypatch.setattr(optimizers, "_race", race)
    values = optimizers.optimizers_values(digits, seed=0, say=quiet)
    for name in ("momentum", "rmsprop", "adam"):
        assert [values[f"{name}_{what}"] for what in ("epochs", "seconds", "accuracy")] == [7, 3, 0.1]


@pytest.mark.parametrize(("target", "epochs", "reached"), [(0.3, 2, True), (0.6, 4, True), (0.7, 4, False)])
def test_a_race_ends_at_the_target_or_at_the_cap(monkeypatch, digits, target, epochs, reached):
    log = {"val_accuracy": [0.1, 0.5, 0.4, 0.6], "loss": [4.0, 3.0, 2.0, 1.0]}

    def fit(model, x, y, **options):
        return SimpleNamespace(history=log)

    class Clock:
        seconds, callback = [9.0, 1.0, 2.0, 3.0], None  # the first epoch compiles

    monkeypatch.setattr(optimizers.engine, "fit", fit)
    monkeypatch.setattr(optimizers, "StepClock", Clock)
    found = optimizers._race("adam", digits, seed=0, epochs=4, target=target)
    assert (found["epochs"], found["reached"], found["seconds"]) == (epochs, reached, 2.0 * epochs)
    assert (found["accuracy"], found["val_accuracy"], found["loss"]) == (0.6, log["val_accuracy"], log["loss"])


def test_gradients_vanish_behind_sigmoids_and_have_a_norm_a_layer(digits):
    relu, sigmoid = (
        vanishing.gradient_norms(vanishing._net(name, (16,) * 6, 0), digits.x_train, digits.y_train)
        for name in ("relu", "sigmoid")
    )
    assert len(relu) == len(sigmoid) == 7
    assert sigmoid[0] < 0.01 * sigmoid[-1]
    assert relu[0] > sigmoid[0]


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
