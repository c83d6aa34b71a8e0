"""The zoo's models, one file each; importing this package registers them all and imports no Keras."""

from kerazoo.models import (
    attention_block,
    imdb_lstm,
    imdb_transformer,
    mnist_mlp,
    mnist_mlp_dropout,
    textgen_lstm,
    toy_mlp,
)

__all__ = [
    "attention_block",
    "imdb_lstm",
    "imdb_transformer",
    "mnist_mlp",
    "mnist_mlp_dropout",
    "textgen_lstm",
    "toy_mlp",
]
