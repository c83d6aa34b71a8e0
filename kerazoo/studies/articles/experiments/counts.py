"""How many examples the real data sets have, against what documents 001, 003 and 004 say."""

from __future__ import annotations

from typing import Any

from kerazoo import Setting, experiment
from kerazoo.studies.articles.experiments.parts import data_of


@experiment("mnist_counts", needs=("mnist",), quick=True)
def mnist_counts(setting: Setting) -> dict[str, Any]:
    """Count the pictures of MNIST."""
    sizes = data_of("mnist_mlp", setting).sizes
    split = [sizes["train"], sizes["test"]]
    return {"split": split, "total": sum(split), "note": f"{split[0]} training and {split[1]} test pictures."}


@experiment("imdb_counts", needs=("imdb_reviews",), quick=True, revision=2)
def imdb_counts(setting: Setting) -> dict[str, Any]:
    """Count the labelled reviews of IMDb: document 001's program trains on all of one split, validates on the other."""
    data = data_of("imdb_lstm", setting)
    words: Any = data.vocabulary
    rare = (data.x_train == words.unknown).any(-1).mean()
    short = float((data.x_train[:, 0] == 0).mean())
    return {
        **data.sizes,
        "note": (
            "The program passes both splits whole. The line is that of an older Keras; Keras 3 prints the number of "
            f"batches, {-(-data.sizes['train'] // 32)} of 32."
        ),
        "padding": {
            "short_are_padded": short > 0,
            "long_are_kept": short == 1,
            "note": (
                f"Of the training reviews {short:.1%} are shorter than 100 words, and padded; the others have 100 or "
                "more, of which pad_sequences keeps the last 100."
            ),
            "evidence": {"share_of_padded_reviews": short},
        },
        "evidence": {"reviews_with_a_word_beyond_the_vocabulary": float(rare), "vocabulary": len(words)},
    }


@experiment("timing_arithmetic", quick=True)
def timing_arithmetic(setting: Setting) -> dict[str, Any]:
    """Multiply the samples of document 001's log (section 5.4) by the microseconds a sample on each of ten lines."""
    samples, values = 20_000, {}
    for epoch, microseconds in enumerate((231, 205, 206, *[205] * 7), start=1):
        seconds = round(samples * microseconds * 1e-6, 6)
        values[f"e{epoch:02}"] = {"seconds": seconds, "note": f"{samples} x {microseconds} us = {seconds:g} s."}
    return values
