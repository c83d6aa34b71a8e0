"""The recipes of the pretrained weights: the documents' layers, trained as well as is cheap on a CPU."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class PretrainingRecipe:
    """How weights were trained, where that is not the model's own recipe; `improved` says in what it differs.

    `learning_rate` falls along half a cosine towards zero, a step an epoch, where `cosine` is set. `moved` draws each
    picture anew in each epoch: shifted, turned, scaled and of another thickness. `excerpts` adds to each epoch an
    excerpt of a few words of each review, so that the model learns what a short opinion tells. The epoch that is kept
    is the best of the `chosen_by` (a quantity of the validation data).
    """

    epochs: int
    batch_size: int
    optimizer: str
    learning_rate: float
    improved: str
    cosine: bool = False
    moved: bool = False
    excerpts: bool = False
    seed: int = 0
    chosen_by: str = "accuracy"
    options: Mapping[str, Any] = field(default_factory=dict)


_MOVED = "in each epoch pictures shifted, turned, scaled and of another thickness, and a learning rate that falls"

_EXCERPTS = "in each epoch an excerpt of each review beside it, and a learning rate that falls from 0.001"

RECIPES: dict[str, PretrainingRecipe] = {
    "mnist_mlp": PretrainingRecipe(
        epochs=25,
        batch_size=128,
        optimizer="adam",
        learning_rate=0.002,
        cosine=True,
        moved=True,
        improved=f"25 epochs of batches of 128 in place of 10 of 32; {_MOVED} from 0.002",
    ),
    "mnist_mlp_dropout": PretrainingRecipe(
        epochs=25,
        batch_size=128,
        optimizer="rmsprop",
        learning_rate=0.001,
        cosine=True,
        moved=True,
        improved=f"25 epochs of batches of 128 in place of 20 of 64; {_MOVED} from 0.001",
    ),
    "imdb_lstm": PretrainingRecipe(
        epochs=4,
        batch_size=32,
        optimizer="adam",
        learning_rate=0.001,
        cosine=True,
        excerpts=True,
        improved=f"4 epochs in place of 10 and 5 more; {_EXCERPTS}",
    ),
    "imdb_transformer": PretrainingRecipe(
        epochs=2,
        batch_size=32,
        optimizer="adam",
        learning_rate=0.001,
        cosine=True,
        excerpts=True,
        options={"sequence_length": 256},
        improved=f"256 words in place of 100; {_EXCERPTS}",
    ),
    "textgen_lstm": PretrainingRecipe(
        epochs=10,
        batch_size=128,
        optimizer="adam",
        learning_rate=0.004,
        cosine=True,
        chosen_by="loss",
        improved="batches of 128 in place of 64, and a learning rate that falls from 0.004",
    ),
}
