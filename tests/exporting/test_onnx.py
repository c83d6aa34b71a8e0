"""Models as ONNX files: the answers of Keras, the operators and metadata of ONNX."""

import keras
import numpy as np
import onnx
import pytest

import kerazoo
from kerazoo.data.vocabulary import Vocabulary
from kerazoo.exporting.onnx_graph import to_onnx, write_onnx
from kerazoo.exporting.onnx_layers import UnknownLayer
from kerazoo.inference import samplers
from kerazoo.inference.attribution import attention_of
from kerazoo.inference.philox import uniform
from kerazoo.inference.samplers import Sampling
from kerazoo.inference.session import Session, open_session
from kerazoo.inference.stepping import Stepper
from kerazoo.model_file import Origin, origin_of, set_origin

CASES = [
    *((name, {}) for name in kerazoo.list_models() if not name.startswith("imdb")),
    ("imdb_lstm", {"vocab_size": 50, "sequence_length": 12, "embedding_dim": 6, "units": 5}),
    ("imdb_transformer", {"vocab_size": 50, "sequence_length": 12}),
    ("attention_block", {"num_heads": 4, "causal": True}),
    ("attention_block", {"padding_mask": True, "return_weights": True}),
]


def inputs_of(model, rows=3, length=7):
    generator = np.random.default_rng(0)
    given = {}
    for one in model.inputs:
        shape = (rows, *(size or length for size in one.shape[1:]))
        given[one.name] = {
            "int32": lambda shape=shape: generator.integers(0, 50, shape).astype(np.int32),
            "float32": lambda shape=shape: generator.normal(size=shape).astype(np.float32),
            "bool": lambda shape=shape: np.arange(shape[1])[None] > np.arange(rows)[:, None],
        }[one.dtype]()
    return given


def scrambled(model):
    """Weights of which none is zero, as a fresh bias is."""
    generator = np.random.default_rng(1)
    model.set_weights([one + generator.normal(0, 0.3, one.shape) for one in model.get_weights()])
    return model


def differences(model, session):
    given = inputs_of(model)
    x = list(given.values())
    wanted = keras.tree.flatten(model(x if len(x) > 1 else x[0], training=False))
    found = session.run(given, [one.name for one in session.outputs[: len(wanted)]])
    return [float(np.abs(one - np.asarray(other)).max()) for one, other in zip(found, wanted, strict=True)]


@pytest.mark.parametrize(("name", "options"), CASES)
def test_a_model_of_the_zoo_answers_as_in_keras(name, options, tmp_path):
    model = scrambled(kerazoo.build(name, seed=0, compile=False, **options))
    write_onnx(model, tmp_path / "model.onnx", {"author": "somebody"})
    session = open_session(tmp_path / "model.onnx")
    assert max(differences(model, session)) < 1e-5
    assert session.origin == origin_of(model)
    file = onnx.load(tmp_path / "model.onnx")
    onnx.checker.check_model(file, full_check=True)
    assert {one.key: one.value for one in file.metadata_props}["author"] == "somebody"
    kinds = {one.op_type for one in file.graph.node}
    assert ("LSTM" in kinds) == ("lstm" in name) and not {"Loop", "Scan"} & kinds


def test_attention_is_an_output_for_the_examples_that_are_named():
    model = scrambled(kerazoo.build("imdb_transformer", seed=0, compile=False, vocab_size=50, sequence_length=6))
    session = Session(to_onnx(model).SerializeToString(), "transformer")
    ids = np.array([[0, 0, 3, 4, 5, 6], [0] * 6, [1, 2, 3, 4, 5, 6]], np.int32)  # the second has no word at all
    np.testing.assert_allclose(session(ids)[0], model(ids), atol=1e-6)
    assert session(ids, "attention")[0].shape[0] == 0
    (found,) = session.run({"tokens": ids, "attention_for": [2, 1, 0]}, ["attention"])
    np.testing.assert_allclose(found, attention_of(model, ids[::-1]), atol=1e-6)
    assert found[1].max() == 0 and found[2, ..., :2].max() == 0


def test_padding_at_the_front_of_a_whole_batch_is_cut_and_changes_nothing():
    model = scrambled(kerazoo.build("imdb_transformer", seed=0, compile=False, vocab_size=50, sequence_length=9))
    set_origin(model, Origin("imdb_transformer", vocabulary=Vocabulary.learn(["a word"], "word")))
    session = Session(to_onnx(model).SerializeToString(), "transformer")
    ids = np.triu(np.full((70, 9), 5, np.int32), 2)  # the first row has two columns of padding, others more
    ids[:, 8] = np.arange(70) % 3
    np.testing.assert_allclose(session(ids)[0], model(ids), atol=1e-6)
    np.testing.assert_allclose(session.answers(ids[::-1]), model(ids[::-1]), atol=1e-6)
    (found,) = session.run({"tokens": ids[:3], "attention_for": [1]}, ["attention"])
    np.testing.assert_allclose(found[..., 3:, 3:], attention_of(model, ids[1:2])[..., 3:, 3:], atol=1e-6)
    assert found.shape[2:] == (9, 9) and not found[..., :2, :].any() and not found[..., :2].any()
    share = np.linspace(0, 1, 27, dtype=np.float32).reshape(3, 9)
    at_once = session.run({"tokens": ids[:3], "share": share}, ["logits"])[0]
    whole = np.vstack([ids[:3], np.full((1, 9), 5, np.int32)])  # a row without padding: nothing is cut
    beside = session.run({"tokens": whole, "share": np.vstack([share, share[:1]])}, ["logits"])[0]
    np.testing.assert_allclose(at_once, beside[:3], atol=1e-6)


LOOKS_AT_PADDING = {
    "an LSTM": lambda x, real: keras.layers.LSTM(3)(x),
    "an output with time": lambda x, real: keras.layers.Dense(3)(x),
    "attention": lambda x, real: kerazoo.layers.MaskedMean()(kerazoo.layers.MultiHeadAttention(2, 2)(x), real),
}


@pytest.mark.parametrize("looks", LOOKS_AT_PADDING)
def test_padding_that_an_output_depends_on_is_not_cut(looks):
    inputs = keras.Input((6,), dtype="int32")
    x, real = kerazoo.layers.TokenAndPositionEmbedding(50, 6, 4)(inputs), keras.ops.not_equal(inputs, 0)
    model = keras.Model(inputs, [LOOKS_AT_PADDING[looks](x, real), kerazoo.layers.MaskedMean()(x, real)])
    made = to_onnx(model)
    assert "ArgMax" not in {one.op_type for one in made.graph.node}
    session, ids = Session(made.SerializeToString(), "model"), np.array([[0, 0, 3, 4, 5, 6]], np.int32)
    np.testing.assert_allclose(session(ids)[0], model(ids)[0], atol=1e-6)


@pytest.mark.parametrize("padding", [1, np.zeros(6, np.int32)])
@pytest.mark.parametrize("length", [6, None])
def test_padding_is_known_by_a_mask_of_ids_that_are_not_0_and_of_known_length(padding, length):
    inputs = keras.Input((length,), dtype="int32")
    x, real = kerazoo.layers.TokenAndPositionEmbedding(50, 6, 4)(inputs), keras.ops.not_equal(inputs, padding)
    model = keras.Model(inputs, kerazoo.layers.MaskedMean()(x, real))
    try:
        made = to_onnx(model)
    except UnknownLayer:  # of an array
        assert not isinstance(padding, int)
    else:
        assert "ArgMax" not in {one.op_type for one in made.graph.node}


@pytest.mark.parametrize("options", [{}, {"activation": "softsign", "recurrent_activation": "tanh", "use_bias": False}])
def test_several_lstms_write_from_the_states_that_they_are_given(options):
    x = inputs = keras.Input((None,), dtype="int32")
    x = keras.layers.Embedding(50, 4)(x)
    x = keras.layers.LSTM(5, return_sequences=True, **options)(x)
    x = keras.layers.LSTM(6, **options)(x)
    model = scrambled(keras.Model(inputs, keras.layers.Dense(50, activation="softmax")(x)))
    set_origin(model, Origin("textgen_lstm"))
    session = Session(to_onnx(model).SerializeToString(), "two")
    assert max(differences(model, session)) < 1e-5
    assert session.states == [("h0", (1, None, 5)), ("c0", (1, None, 5)), ("h1", (1, None, 6)), ("c1", (1, None, 6))]
    ((name, tokens),) = inputs_of(model).items()
    states = session.run({name: tokens[:, :4]}, [f"{one.name}.next" for one in session.states])
    given = {one.name: state for one, state in zip(session.states, states, strict=True)}
    (ended,) = session.run({name: tokens[:, 4:], **given}, [session.outputs[0].name])
    np.testing.assert_allclose(ended, model(tokens), atol=1e-6)


@pytest.mark.parametrize("size", [50, 1200])  # of the vocabulary: with a table of products, and without
@pytest.mark.parametrize("options", [{"use_bias": False}, {"activation": "softsign", "recurrent_activation": "tanh"}])
def test_a_file_writes_what_its_logits_say(size, options):
    x = inputs = keras.Input((None,), dtype="int32")
    x = keras.layers.Embedding(size, 4)(x)
    x = keras.layers.LSTM(5, return_sequences=True, **options)(x)
    x = keras.layers.Dropout(0.5)(keras.layers.LSTM(6, **options)(x))
    outputs = keras.layers.Dense(size, activation="softmax", use_bias=options.get("use_bias", True))(x)
    model = scrambled(keras.Model(inputs, outputs))
    kernel = model.layers[-1].kernel
    kernel.assign(8 * kernel)  # sure of itself, so that rounding decides nothing
    set_origin(model, Origin("textgen_lstm"))
    session = Session(to_onnx(model).SerializeToString(), "two")
    stepper, name = Stepper(session), session.inputs[0].name
    begin, first = stepper.start(2), np.array([1, 2], np.int32)
    wanted = ["logits", *(f"{one}.next" for one in begin)]
    for how in (Sampling(0), Sampling(3), Sampling(0.5, 7), Sampling(1, None, 0.6), Sampling(1, 7, 0.6)):
        written, ended, last = stepper.write(None, begin, first, how, 1, 5, 20)
        states, tokens = begin, first
        for place in range(20):
            logits, *after = session.run({name: tokens[:, None], **states}, wanted)
            settings = how.temperature, how.top_k, how.top_p
            shares = uniform(2, np.array([1, 5 + place], np.int32))
            tokens = samplers.greedy(logits) if how.greedy else samplers.sample(logits, shares, *settings)
            assert written[:, place].tolist() == tokens.tolist()
            states = dict(zip(states, after, strict=True))
        assert last.tolist() == tokens.tolist()
        for one, state in states.items():
            np.testing.assert_allclose(ended[one], state, atol=1e-5)


def test_other_models_of_texts_write_nothing():
    inputs = keras.Input((None,), dtype="int32")
    x = keras.layers.LSTM(4)(keras.layers.Embedding(9, 3)(inputs))
    model = keras.Model(inputs, keras.layers.Dense(9, activation="softmax")(keras.layers.LayerNormalization()(x)))
    set_origin(model, Origin("textgen_lstm"))
    session = Session(to_onnx(model).SerializeToString(), "normalised")
    assert session.states and not session.gives("written")
    with pytest.raises(kerazoo.InputError, match="'normalised' has no output 'written' to write text with"):
        kerazoo.generate(session)


def test_small_weights_are_those_that_the_package_holds(monkeypatch):
    monkeypatch.setattr("kerazoo.weights.packing.INT8_FROM", 1000)
    model = scrambled(kerazoo.build("imdb_transformer", seed=0, compile=False, **CASES[-3][1]))
    file = to_onnx(model, small=True)
    kinds = {one.name: one.data_type for one in file.graph.initializer}
    assert kinds["0.positions"] == onnx.TensorProto.FLOAT16
    assert kinds["1.embeddings"] == onnx.TensorProto.INT8
    assert differences(model, Session(file.SerializeToString(), "small"))[0] < 0.02


def test_a_classifier_of_sequences_and_other_sizes():
    layers = [keras.layers.LSTM(4, return_sequences=True), keras.layers.Dense(3, activation="softmax")]
    model = scrambled(keras.Sequential([keras.Input((None, 2)), *layers]))
    session = Session(to_onnx(model).SerializeToString(), "sequences")
    assert max(differences(model, session)) < 1e-5


def test_what_is_not_known_is_named_and_left_to_keras(tmp_path):
    def model(layer, *shape, dtype="float32"):
        inputs = keras.Input(shape, dtype=dtype)
        return keras.Model(inputs, layer(inputs))

    for told, other in (
        ("is a Conv1D", model(keras.layers.Conv1D(2, 2), 5, 2)),
        ("activation gelu", model(keras.layers.Dense(2, activation="gelu"), 3)),
        ("go_backwards", model(keras.layers.LSTM(2, go_backwards=True), 5, 2)),
        ("mask_zero", model(keras.layers.Embedding(5, 2, mask_zero=True), 5, dtype="int32")),
        ("other axes", model(keras.layers.LayerNormalization(axis=1), 5, 2)),
    ):
        with pytest.raises(UnknownLayer, match=told):
            to_onnx(other)
