"""The recipes of the pretrained weights: the documents' layers, trained as well as is cheap on a CPU."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class PretrainingRecipe:
    """How weights were trained, where that is not the model's own recipe; `improved` says in what it differs.

    `learning_rate` falls to zero along half a cosine, an epoch at a time, where `cosine` is set. `moved` draws each
    picture anew in each epoch: shifted, turned, scaled and of another thickness. The epoch that is kept is the best of
    the `chosen_by` (a quantity of the validation data).
    """

    epochs: int
    batch_size: int
    optimizer: str
    learning_rate: float
    improved: str
    cosine: bool = False
    moved: bool = False
    seed: int = 0
    chosen_by: str = "accuracy"
    options: Mapping[str, Any] = field(default_factory=dict)


_MOVED = "pictures shifted, turned, scaled and of another thickness in each epoch, a learning rate that falls to zero"

RECIPES: dict[str, PretrainingRecipe] = {
    "mnist_mlp": PretrainingRecipe(
        epochs=40,
        batch_size=128,
        optimizer="adam",
        learning_rate=0.002,
        cosine=True,
        moved=True,
        improved=f"40 epochs of batches of 128 in place of 10 of 32; {_MOVED}",
    ),
    "mnist_mlp_dropout": PretrainingRecipe(
        epochs=40,
        batch_size=128,
        optimizer="rmsprop",
        learning_rate=0.001,
        cosine=True,
        moved=True,
        improved=f"40 epochs of batches of 128 in place of 20 of 64; {_MOVED}",
    ),
    "imdb_lstm": PretrainingRecipe(
        epochs=3,
        batch_size=32,
        optimizer="adam",
        learning_rate=0.001,
        cosine=True,
        improved="3 epochs in place of 10 and 5 more, and a learning rate that falls to zero",
    ),
    "imdb_transformer": PretrainingRecipe(
        epochs=4,
        batch_size=32,
        optimizer="adam",
        learning_rate=0.001,
        cosine=True,
        options={"sequence_length": 320},
        improved="320 words in place of 100, 4 epochs in place of 2, and a learning rate that falls from 0.001 to zero",
    ),
    "textgen_lstm": PretrainingRecipe(
        epochs=8,
        batch_size=64,
        optimizer="adam",
        learning_rate=0.002,
        cosine=True,
        chosen_by="loss",
        improved="8 epochs in place of 10, and a learning rate that falls from 0.002 to zero",
    ),
}
