"""What document 002's text generator returns, and how large it is."""

from __future__ import annotations

from typing import Any

from kerazoo import Setting, build, experiment, spec
from kerazoo.lazy import keras, np

_MILLION = 1_000_000  # section 2.1: large models have from millions to billions of parameters
_WORDS = 20_000  # a vocabulary of words, as document 001 has one


@experiment("text_generator", quick=True)
def text_generator(setting: Setting) -> dict[str, Any]:
    """Call the zoo's `textgen_lstm`, which is the program's network, on windows, and count its parameters."""
    model = build("textgen_lstm", seed=setting.seed, compile=False)
    return {"predicted": _predicted(model, setting.seed), "size": _size(model)}


def _predicted(model: Any, seed: int, windows: int = 5, length: int = 40) -> dict[str, Any]:
    """Look at what the network gives for some windows: text would be tokens, one after the other."""
    vocabulary = model.output_shape[-1]
    tokens = np.random.default_rng(seed).integers(vocabulary, size=(windows, length))
    found = np.asarray(model(tokens))
    return {
        "true": found.dtype.kind in "iUSO",
        "shape": list(found.shape),
        "note": (
            f"For {windows} windows of {length} tokens it returns {found.shape[0]} rows of {found.shape[1]} "
            f"probabilities, whose sums lie from {found.sum(-1).min():.4f} to {found.sum(-1).max():.4f}: one "
            "distribution over the next token for each window, and no text. To generate, a token has to be drawn, "
            "appended to the window, and the network called again."
        ),
    }


def _size(model: Any) -> dict[str, Any]:
    """Count parameters with a vocabulary of characters and one of words, since the document defines neither."""
    words = build("textgen_lstm", vocab_size=_WORDS, compile=False).count_params()
    characters, alphabet = model.count_params(), spec("textgen_lstm").defaults["vocab_size"]
    recurrent = sum(isinstance(layer, keras.layers.LSTM) for layer in model.layers)
    return {
        "true": min(characters, words) >= _MILLION and recurrent > 1,
        "characters": {"true": characters >= _MILLION, "parameters": characters},
        "words": {"true": words >= _MILLION, "parameters": words},
        "layers": {"true": recurrent > 1, "recurrent": recurrent},
        "note": (
            f"With an embedding of 128 it has {characters:,} parameters for {alphabet} characters and {words:,} for "
            f"{_WORDS:,} words; vocab_size and embedding_size are the reader's to choose. It has {recurrent} "
            "recurrent layer."
        ),
    }
