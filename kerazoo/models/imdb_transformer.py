"""What document 001, section 5 announces and does not print: a review classifier with attention. The model is ours."""

from kerazoo import layers
from kerazoo.lazy import keras
from kerazoo.registry import register
from kerazoo.schema import Recipe, Source, Tensor


@register(
    source=Source("001", section="5"),
    task="imdb",
    num_params=649_697,
    inputs=(Tensor("tokens", (100,), "int32", "word ids, padded with 0 and truncated at the front"),),
    outputs=(Tensor("positive", (1,), "float32", "the probability that the review is positive"),),
    # Ours: the document prints no recipe for it.
    recipe=Recipe(
        optimizer="adam",
        learning_rate=0.0005,
        loss="binary_crossentropy",
        batch_size=32,
        epochs=2,
        validation="test",
    ),
    claims=("001/title-vs-program", "001/attention-formula"),
)
def imdb_transformer(
    vocab_size=20_000, sequence_length=100, embedding_dim=32, num_heads=2, feed_forward=32, dropout=0.5
):
    """Map (B, sequence_length) int32 word ids to (B, 1) probabilities of a positive review.

    One post-norm encoder block (Vaswani et al. 2017); padding, id 0, is neither attended to nor averaged.

    Raises:
        ValueError: `embedding_dim` is not divisible by `num_heads`, or `dropout` is outside [0, 1).
    """
    if num_heads < 1 or embedding_dim % num_heads:
        raise ValueError(f"embedding_dim={embedding_dim} is not divisible by num_heads={num_heads}")
    inputs = keras.Input((sequence_length,), dtype="int32", name="tokens")
    real = keras.ops.not_equal(inputs, 0)  # (B, T)
    x = layers.TokenAndPositionEmbedding(vocab_size, sequence_length, embedding_dim)(inputs)  # (B, T, d)
    x = keras.layers.Dropout(dropout)(x)

    attended = layers.MultiHeadAttention(num_heads, embedding_dim // num_heads, dropout=dropout)(x, key_mask=real)
    x = keras.layers.LayerNormalization()(x + keras.layers.Dropout(dropout)(attended))  # (B, T, d)
    hidden = keras.layers.Dense(feed_forward, activation="relu")(x)  # (B, T, feed_forward)
    hidden = keras.layers.Dense(embedding_dim)(hidden)  # (B, T, d)
    x = keras.layers.LayerNormalization()(x + keras.layers.Dropout(dropout)(hidden))

    x = layers.MaskedMean()(x, real)  # (B, d)
    x = keras.layers.Dropout(dropout)(x)
    outputs = keras.layers.Dense(1, activation="sigmoid", name="positive", dtype="float32")(x)
    return keras.Model(inputs, outputs, name="imdb_transformer")
