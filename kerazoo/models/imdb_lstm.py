"""The review classifier of document 001, section 5.2."""

from kerazoo.lazy import keras
from kerazoo.registry import register
from kerazoo.schema import Recipe, Source, Tensor


@register(
    source=Source("001", section="5.2"),
    task="imdb",
    num_params=2_691_713,
    inputs=(Tensor("tokens", (100,), "int32", "word ids, padded with 0 and truncated at the front"),),
    outputs=(Tensor("positive", (1,), "float32", "the probability that the review is positive"),),
    recipe=Recipe(
        optimizer="adam",
        loss="binary_crossentropy",
        batch_size=32,
        epochs=10,
        validation="test",
        fine_tune_epochs=5,
    ),
    claims=(
        "001/title-vs-program",
        "001/program",
        "001/train-samples",
        "001/val-samples",
        "001/epoch-table",
        "001/val-accuracy-84",
        "001/fine-tuning-helps",
    ),
)
def imdb_lstm(vocab_size=20_000, sequence_length=100, embedding_dim=128, units=128):
    """Map (B, sequence_length) int32 word ids to (B, 1) probabilities of a positive review."""
    inputs = keras.Input((sequence_length,), dtype="int32", name="tokens")
    # Padding is not masked: the document does not, and front padding would cost cuDNN on a GPU.
    x = keras.layers.Embedding(vocab_size, embedding_dim)(inputs)  # (B, T, embedding_dim)
    x = keras.layers.LSTM(units)(x)  # (B, units)
    outputs = keras.layers.Dense(1, activation="sigmoid", name="positive", dtype="float32")(x)
    return keras.Model(inputs, outputs, name="imdb_lstm")
