import keras
import numpy as np
import pytest

import kerazoo
from kerazoo.inference.choosing import packaged
from kerazoo.inference.generating import stream
from kerazoo.inference.texts import Writer
from kerazoo.model_file import Origin, save_model, set_origin
from kerazoo.weights import store

LETTERS = kerazoo.Vocabulary.learn(["\n abcdefgh"], "char")
WORDS = kerazoo.Vocabulary.learn(["\n the king (who?) speaks, and the queen is silent."], "token")


def make(vocabulary=LETTERS, units=(12,), seed=0, dtype=None, **options):
    keras.utils.set_random_seed(seed)
    x = inputs = keras.Input((None,), dtype="int32")
    # Large weights: a model that is sure of itself and changes its mind, so that rounding decides nothing.
    large = keras.initializers.RandomNormal(stddev=1.5)
    x = keras.layers.Embedding(len(vocabulary), 5, embeddings_initializer=large, dtype=dtype)(x)
    for n, size in enumerate(units):
        last = n == len(units) - 1
        how = {"return_sequences": not last, "recurrent_initializer": large, "bias_initializer": "normal"}
        x = keras.layers.LSTM(size, dtype=dtype, **{**how, **options})(x)
        x = keras.layers.Dropout(0.5, dtype=dtype)(x)
    outputs = keras.layers.Dense(len(vocabulary), activation="softmax", kernel_initializer=large)(x)
    return keras.Model(inputs, outputs)


@pytest.fixture(scope="module")
def model():
    return make()


def slowly(model, prompt, length, vocabulary):
    """Greedy text by the plain layers of Keras: a cell a step, its state carried in Python."""
    kinds = (keras.layers.Embedding, keras.layers.LSTM, keras.layers.Dense)
    embedding, *lstms, dense = [layer for layer in model.layers if isinstance(layer, kinds)]
    states = [[np.zeros((1, one.units), "float32")] * 2 for one in lstms]
    ids = vocabulary.encode(prompt)
    for place in range(len(ids) + length - 1):
        x = embedding(np.array([ids[place]]))
        for n, one in enumerate(lstms):
            x, states[n] = one.cell(x, states[n], training=False)
        if place == len(ids) - 1:
            ids.append(int(np.argmax(dense(x))))
    return vocabulary.decode(ids)


@pytest.mark.parametrize(
    "options",
    [
        {"units": (8, 12), "seed": 4},
        {
            "activation": "softsign",
            "recurrent_activation": "tanh",
            "use_bias": False,
            "dtype": "float64" if keras.backend.backend() == "tensorflow" else "float32",  # which JAX has not at first
            "vocabulary": kerazoo.Vocabulary.learn(["".join(map(chr, range(97, 1400)))], "char"),
        },
    ],
    ids=["two layers", "other activations, float64 where there is, no table"],
)
def test_greedy_text_is_that_of_the_slow_loop(options):
    vocabulary = options.get("vocabulary", LETTERS)
    model = make(**options)
    text = kerazoo.generate(model, "abcab", length=60, temperature=0, vocabulary=vocabulary)
    assert text == slowly(model, "abcab", 60, vocabulary)
    assert len(set(text[5:])) > 2


def test_the_model_of_the_zoo_goes_on_as_its_predictions_say():
    model = kerazoo.build("textgen_lstm", vocab_size=len(LETTERS), units=8, embedding_dim=4, seed=0)
    text = kerazoo.generate(model, "abc", length=20, temperature=0, vocabulary=LETTERS)
    for end in (3, 4, 22):  # the state from the first character on: what predict makes of the whole text so far
        probabilities = model(np.array([LETTERS.encode(text[:end])]))
        assert LETTERS.encode(text[end]) == [np.argmax(probabilities)]


@pytest.mark.parametrize("temperature", [0, 1])
def test_texts_of_a_batch_are_those_of_single_calls(model, temperature):
    prompts = ["a", "bcdefg", "", "hh\n"]
    how = {"length": 50, "temperature": temperature, "seed": 7, "vocabulary": LETTERS}
    together = kerazoo.generate(model, prompts, **how)
    assert [len(text) - 50 for text in together] == [1, 6, 0, 3]
    if temperature == 0:
        assert together == [kerazoo.generate(model, prompt, **how) for prompt in prompts]
    else:  # each row has its own draws, the first those of a single text
        assert kerazoo.generate(model, prompts[0], **how) == together[0]
        assert kerazoo.generate(model, prompts[:3], **how) == together[:3]


def test_a_seed_tells_the_text(model):
    def text(seed, **how):
        return kerazoo.generate(model, "a", length=80, seed=seed, vocabulary=LETTERS, temperature=8.0, **how)

    assert text(1) == text(1) != text(2)
    assert text(2**32 - 1) != text(None)
    first, second = text(1, samples=2)
    assert first == text(1) != second
    assert kerazoo.generate(model, ["a", "b"], samples=3, length=1, vocabulary=LETTERS)[1][2][0] == "b"


def test_many_ways_to_be_greedy(model):
    greedy = kerazoo.generate(model, "ab", length=30, temperature=0, vocabulary=LETTERS)
    for how in ({"top_k": 1}, {"top_p": 1e-6}, {"temperature": 1e-38}, {"temperature": 1e-6}):
        assert kerazoo.generate(model, "ab", length=30, vocabulary=LETTERS, **how) == greedy


def test_a_stream_is_the_same_text_in_pieces(model):
    how = {"length": 50, "seed": 3, "vocabulary": LETTERS, "top_k": 4, "top_p": 0.9, "temperature": 8.0}
    whole = kerazoo.generate(model, "ab", **how)
    pieces = list(stream(model, "ab", block=16, **how))
    assert "".join(pieces) == whole
    assert [len(piece) for piece in pieces] == [2, 16, 16, 16, 2]
    stop = whole[30:33]
    until = whole[2:].partition(stop)[0]
    assert kerazoo.generate(model, "ab", stop=stop, **how) == "ab" + until
    for block in (1, 7, 50):
        assert "".join(stream(model, "ab", stop=[stop, "xyz"], block=block, **how)) == "ab" + until


def test_the_weights_are_those_of_the_moment_and_compiled_once(model):
    how = {"length": 20, "temperature": 0, "vocabulary": LETTERS}
    before = kerazoo.generate(model, "a", **how)
    compiled = dict(model._kerazoo_decoder._compiled)
    weights = model.get_weights()
    model.set_weights([np.zeros_like(weight) for weight in weights])
    assert set(kerazoo.generate(model, "a", **{**how, "length": 7})[1:]) == {"\N{REPLACEMENT CHARACTER}"}
    model.set_weights(weights)
    assert kerazoo.generate(model, "a", **how) == before
    assert model._kerazoo_decoder._compiled == compiled


def test_words_are_joined_as_people_write():
    model = make(WORDS)
    text = kerazoo.generate(model, "the king speaks", length=40, seed=0, vocabulary=WORDS, temperature=30.0)
    assert text.startswith("the king speaks")
    assert len(WORDS.split(text)) == 43
    assert "  " not in text and " ," not in text and "( " not in text
    how = {"length": 12, "seed": 0, "vocabulary": WORDS, "temperature": 30.0}
    assert "".join(stream(model, "the king", block=1, **how)) == kerazoo.generate(model, "the king", **how)
    for prompt in ("the king ", "the king\n", "the ("):
        piece = kerazoo.generate(model, prompt, **how).removeprefix(prompt)
        assert not piece.startswith(" ")


def test_a_writer_holds_back_what_may_become_a_stop_text():
    writer = Writer(LETTERS, "", LETTERS.encode("\n")[0], ["cd"])
    pieces = [writer.add(LETTERS.encode(piece)) for piece in ("ab", "c", "c", "d", "a")]
    assert pieces == ["a", "b", "c", "", ""]
    assert writer.done and writer.finish() == ""


@pytest.mark.parametrize("block", [1, 2, 3, 4])
def test_the_stop_text_that_is_whole_first_ends_the_text_whatever_the_block(block):
    writer = Writer(LETTERS, "", LETTERS.encode("\n")[0], ["bcd", "c"])
    pieces = [writer.add(LETTERS.encode("abcd"[place : place + block])) for place in range(0, 4, block)]
    assert writer.done and "".join(pieces) == "ab"


def test_what_the_model_does_not_know_is_said_once(model):
    with pytest.warns(UserWarning, match="does not know '漢', '😀' of the prompt") as caught:
        texts = kerazoo.generate(model, ["漢a漢", "😀"], length=3, vocabulary=LETTERS)
    assert len(caught) == 1 and caught[0].filename == __file__
    assert texts[0].startswith("漢a漢") and texts[1].startswith("😀") and len(texts[1]) == 4


def test_a_huge_prompt_is_kept_and_its_end_read(model):
    how = {"length": 5, "temperature": 0, "vocabulary": LETTERS}
    huge = "abcdefgh " * 1_200_000
    text = kerazoo.generate(model, huge, **how)
    assert text.startswith(huge) and len(text) == len(huge) + 5
    assert text[-5:] == kerazoo.generate(model, huge[-4096:], **how)[-5:]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"length": 0}, "length=0"),
        ({"length": -3}, "length=-3"),
        ({"length": 2**40}, "length="),
        ({"temperature": -1}, "temperature=-1"),
        ({"top_k": 0}, "top_k=0"),
        ({"top_p": 0.0}, "top_p=0.0"),
        ({"seed": -1}, "seed=-1"),
        ({"seed": 2**32}, "seed=4294967296"),
        ({"stop": ""}, "stop is an empty text"),
        ({"stop": 5}, "stop=5"),
        ({"samples": 0}, "samples=0"),
        ({"samples": 5000}, "5000 texts"),
        ({"prompt": 5}, "prompt=5"),
        ({"prompt": b"abc"}, "prompt=b'abc'"),
        ({"prompt": ["a", None]}, "prompt="),
        ({"prompt": "a\udcff"}, "half a character"),
        ({"vocabulary": None}, "carries no vocabulary"),
        ({"vocabulary": WORDS}, "the model writes 11"),
        ({"vocabulary": "abc"}, "the vocabulary is a str"),
    ],
)
def test_bad_input_is_refused_in_a_line(model, wrong, message):
    with pytest.raises(kerazoo.InputError) as caught:
        kerazoo.generate(model, **{"prompt": "a", "vocabulary": LETTERS, **wrong})
    assert message in str(caught.value) and "\n" not in str(caught.value)


def other_models():
    layers, inputs = keras.layers, keras.Input((None,), dtype="int32")
    x = layers.Embedding(11, 5)(inputs)

    def head(x):
        return layers.Dense(11, activation="softmax")(x)

    yield "wanted Embedding", kerazoo.build("mnist_mlp")
    yield "GRU", keras.Model(inputs, head(layers.GRU(4)(x)))
    yield "go_backwards", keras.Model(inputs, head(layers.LSTM(4, go_backwards=True)(x)))
    yield "hard_sigmoid", keras.Model(inputs, head(layers.LSTM(4, recurrent_activation="hard_sigmoid")(x)))
    yield "softmax", keras.Model(inputs, layers.Dense(11)(layers.LSTM(4)(x)))
    yield "no straight line", keras.Model(inputs, head(layers.Add()([layers.LSTM(5)(x), layers.LSTM(5)(x)])))
    yield (
        "a mask counts as a branch",
        keras.Model(inputs, head(layers.LSTM(4)(layers.Embedding(11, 5, mask_zero=True)(inputs)))),
    )
    yield "wanted a name of the zoo", 5
    yield "no pretrained weights", "textgen_lstm"
    yield "does not write text", "mnist_mlp"
    yield "Did you mean 'textgen_lstm'", "textgen_lstn"
    yield "not a file", "no/such/file.keras"


def test_models_that_cannot_be_stepped_through_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "DIRECTORY", tmp_path)  # which has no weights
    packaged.cache_clear()
    for message, other in other_models():
        with pytest.raises(kerazoo.InputError, match=message) as caught:
            kerazoo.generate(other, "a", vocabulary=LETTERS)
        assert "\n" not in str(caught.value)


def test_a_diverged_model_is_refused():
    model = make()
    model.layers[-1].kernel.assign(model.layers[-1].kernel * np.nan)
    with pytest.raises(kerazoo.NotFiniteError, match="not finite"):
        kerazoo.generate(model, "a", vocabulary=LETTERS)


def test_sequences_and_sequential_models_generate_too():
    head = keras.layers.Dense(11, activation="softmax")
    lstm = keras.layers.LSTM(4, return_sequences=True)
    model = keras.Sequential([keras.Input((None,)), keras.layers.Embedding(11, 5), lstm, head])
    assert len(kerazoo.generate(model, "ab", length=9, vocabulary=LETTERS)) == 11


def test_a_model_brings_its_vocabulary_and_can_be_saved_after(model, tmp_path):
    set_origin(model, Origin(None, {}, LETTERS))
    try:
        text = kerazoo.generate(model, "ab", length=30, temperature=0)
        save_model(model, tmp_path / "model.keras")
    finally:
        set_origin(model, Origin())
    loaded = kerazoo.load_model(tmp_path / "model.keras")
    set_origin(loaded, Origin(None, {}, LETTERS))
    assert kerazoo.generate(loaded, "ab", length=30, temperature=0) == text
