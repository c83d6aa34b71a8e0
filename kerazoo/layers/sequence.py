"""Layers for sequences of tokens: an embedding that knows positions, and a mean that skips padding."""

from typing import Any

import keras
from keras import ops

from kerazoo.layers.types import Shape, Tensor


@keras.saving.register_keras_serializable(package="kerazoo")
class TokenAndPositionEmbedding(keras.layers.Layer):
    """Sum of a learned vector for each token and one for its position (Devlin et al. 2019, section 3).

    Maps (B, T) integer ids below `vocab_size`, T at most `sequence_length`, to (B, T, embedding_dim).
    """

    xla_on_cpu = True  # faster so, as measured: see `engine.tensorflow.jit`

    def __init__(self, vocab_size: int, sequence_length: int, embedding_dim: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.vocab_size, self.sequence_length, self.embedding_dim = vocab_size, sequence_length, embedding_dim
        self.tokens = keras.layers.Embedding(vocab_size, embedding_dim, dtype=self.dtype_policy, name="tokens")

    def build(self, input_shape: Shape) -> None:
        """Create the two tables: (vocab_size, embedding_dim) and (sequence_length, embedding_dim)."""
        self.tokens.build(input_shape)
        self.positions = self.add_weight(
            (self.sequence_length, self.embedding_dim), initializer="uniform", name="positions"
        )

    def call(self, ids: Tensor) -> Tensor:
        """Map (B, T) ids to (B, T, embedding_dim) vectors."""
        return self.tokens(ids) + ops.cast(self.positions, self.compute_dtype)[: ops.shape(ids)[1]]

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return (B, T, embedding_dim)."""
        return (*input_shape, self.embedding_dim)

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs."""
        sizes = {name: getattr(self, name) for name in ("vocab_size", "sequence_length", "embedding_dim")}
        return {**super().get_config(), **sizes}


@keras.saving.register_keras_serializable(package="kerazoo")
class MaskedMean(keras.layers.Layer):
    """Mean over the time axis of the positions where `real` is True; zeros where it is True nowhere."""

    xla_on_cpu = True  # faster so, as measured: see `engine.tensorflow.jit`

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True  # it takes note of `real` alone, and what it returns has no time axis to mask

    def compute_mask(self, inputs: Tensor, previous_mask: Tensor) -> None:
        """Return no mask."""
        return

    def call(self, inputs: Tensor, real: Tensor) -> Tensor:
        """Map (B, T, d) vectors and their (B, T) bools to (B, d)."""
        weights = ops.expand_dims(ops.cast(real, inputs.dtype), -1)  # (B, T, 1)
        return ops.sum(inputs * weights, axis=1) / ops.maximum(ops.sum(weights, axis=1), 1)

    def compute_output_shape(self, inputs_shape: Shape, real_shape: Shape) -> Shape:
        """Return (B, d)."""
        return (inputs_shape[0], inputs_shape[-1])
