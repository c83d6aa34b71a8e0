"""The documents' programs in plain Keras 3, as one would write them by hand: layers, `compile`, `fit`.

Each takes the options of kerazoo's model of that name, so that both sides are of one size.
"""

import keras
from keras import layers
from work import Work

import kerazoo
from kerazoo.factory import compile_model


def build(work: Work) -> keras.Model:
    """Return the compiled program of the work, with its first weights.

    A model that has no program here, such as a user's own, is built by kerazoo: plain `fit` then trains it.
    `compile` takes the recipe of kerazoo's spec: optimizer, loss and metrics of both sides are the same.
    """
    if work.name not in PROGRAMS:
        model = kerazoo.build(work.name, **work.options)
        model.set_weights(work.own_weights)
        return model
    model = PROGRAMS[work.name](**work.options)
    compile_model(model, kerazoo.spec(work.name).recipe)
    model.set_weights(work.weights)
    return model


def toy_mlp(input_dim, hidden_dim, output_dim):
    """Document 000, section 5.2."""
    return keras.Sequential(
        [keras.Input((input_dim,)), layers.Dense(hidden_dim, activation="relu"), layers.Dense(output_dim)]
    )


def mnist_mlp(units, num_classes):
    """Document 003, section 4."""
    hidden = [layers.Dense(width, activation="relu") for width in units]
    return keras.Sequential([keras.Input((784,)), *hidden, layers.Dense(num_classes, "softmax", dtype="float32")])


def mnist_mlp_dropout(units, dropout, num_classes):
    """Document 004, section 5.2."""
    model = keras.Sequential([keras.Input((784,))])
    for width in units:
        model.add(layers.Dense(width, activation="relu"))
        model.add(layers.Dropout(dropout))
    model.add(layers.Dense(num_classes, activation="softmax", dtype="float32"))
    return model


def imdb_lstm(vocab_size, sequence_length, embedding_dim, units):
    """Document 001, section 5.2."""
    return keras.Sequential(
        [
            keras.Input((sequence_length,), dtype="int32"),
            layers.Embedding(vocab_size, embedding_dim),
            layers.LSTM(units),
            layers.Dense(1, activation="sigmoid", dtype="float32"),
        ]
    )


def textgen_lstm(vocab_size, embedding_dim, units):
    """Document 002, section 5.2."""
    return keras.Sequential(
        [
            keras.Input((None,), dtype="int32"),
            layers.Embedding(vocab_size, embedding_dim),
            layers.LSTM(units, activation="tanh"),
            layers.Dense(vocab_size, activation="softmax", dtype="float32"),
        ]
    )


def imdb_transformer(vocab_size, sequence_length, embedding_dim, num_heads, feed_forward, dropout):
    """What document 001, section 5 announces, with Keras's own layers alone."""
    tokens = keras.Input((sequence_length,), dtype="int32")
    real = keras.ops.not_equal(tokens, 0)  # (B, T)
    words = layers.Embedding(vocab_size, embedding_dim)(tokens)
    x = layers.Dropout(dropout)(_WithPositions(sequence_length, embedding_dim)(words))  # (B, T, D)
    attention = layers.MultiHeadAttention(num_heads, embedding_dim // num_heads, dropout=dropout)
    attended = attention(x, x, attention_mask=keras.ops.expand_dims(real, 1))
    x = layers.LayerNormalization()(x + layers.Dropout(dropout)(attended))
    hidden = layers.Dense(embedding_dim)(layers.Dense(feed_forward, activation="relu")(x))
    x = layers.LayerNormalization()(x + layers.Dropout(dropout)(hidden))
    x = layers.Dropout(dropout)(layers.GlobalAveragePooling1D()(x, mask=real))  # (B, D)
    return keras.Model(tokens, layers.Dense(1, activation="sigmoid", dtype="float32")(x))


class _WithPositions(layers.Layer):
    """Adds a learned vector for each place in the sequence."""

    def __init__(self, length, width):
        super().__init__()
        self.table = layers.Embedding(length, width)

    def build(self, shape):
        self.table.build((shape[1],))

    def call(self, x):
        return x + self.table(keras.ops.arange(x.shape[1]))


def attention_block(dim, num_heads, causal, **other):
    """Document 001, section 4.1, between projections."""
    sequence = keras.Input((None, dim))
    attention = layers.MultiHeadAttention(num_heads, dim // num_heads, use_bias=False)
    return keras.Model(sequence, attention(sequence, sequence, use_causal_mask=causal))


PROGRAMS = {
    program.__name__: program
    for program in (
        toy_mlp,
        mnist_mlp,
        mnist_mlp_dropout,
        imdb_lstm,
        textgen_lstm,
        imdb_transformer,
        attention_block,
    )
}
