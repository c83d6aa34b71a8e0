"""The text generator of document 002, section 5.2.

The document leaves `vocab_size`, `embedding_size`, the data and `decode` undefined: the vocabulary is that of the
training text, the embedding is as wide as the LSTM, and `kerazoo.data.text.Vocabulary` decodes.
"""

from kerazoo.lazy import keras
from kerazoo.registry import register
from kerazoo.schema import Recipe, Source, Tensor


@register(
    source=Source("002", section="5.2"),
    task="text",
    num_params=148_546,
    inputs=(Tensor("tokens", (None,), "int32", "ids of consecutive characters (or words)"),),
    outputs=(Tensor("next_token", (66,), "float32", "one probability for each possible next character (or word)"),),
    recipe=Recipe(optimizer="adam", loss="sparse_categorical_crossentropy", batch_size=64, epochs=10),
    claims=("002/program", "002/generates-text"),
)
def textgen_lstm(vocab_size=66, embedding_dim=128, units=128):
    """Map (B, T) int32 ids to (B, vocab_size) probabilities of the id that follows; T may be any length."""
    inputs = keras.Input((None,), dtype="int32", name="tokens")
    x = keras.layers.Embedding(vocab_size, embedding_dim)(inputs)  # (B, T, embedding_dim)
    x = keras.layers.LSTM(units, activation="tanh")(x)  # (B, units)
    outputs = keras.layers.Dense(vocab_size, activation="softmax", name="next_token", dtype="float32")(x)
    return keras.Model(inputs, outputs, name="textgen_lstm")
