"""The attention of document 001, section 4.1, softmax(QK^T / sqrt(d_k))V, as a model that can be trained.

The formula alone, without learned projections, is the layer `kerazoo.layers.ScaledDotProductAttention`.
"""

from kerazoo import layers
from kerazoo.lazy import keras
from kerazoo.registry import register
from kerazoo.schema import Recipe, Source, Tensor


@register(
    source=Source("001", section="4.1"),
    task="recall",
    num_params=4_096,
    inputs=(Tensor("sequence", (None, 32), "float32", "a sequence of vectors, any length"),),
    outputs=(Tensor("attended", (None, 32), "float32", "for each position the weighted sum over the sequence"),),
    # The document prints a formula and no training: this recipe is ours, for the generated data set `recall`.
    recipe=Recipe(
        optimizer="adam", learning_rate=0.003, loss="mean_squared_error", metrics=(), batch_size=64, epochs=20
    ),
    claims=("001/attention-formula", "001/attention-worked-example"),
)
def attention_block(dim=32, num_heads=1, causal=False, padding_mask=False, return_weights=False):
    """Map (B, T, dim) float32 vectors to (B, T, dim): Q, K and V are learned projections of the one sequence.

    With `padding_mask` there is a second input, (B, T) bool, True where the sequence is real; with `return_weights`
    a second output, the (B, num_heads, T, T) weights, each row summing to 1 (to 0 where nothing may be attended to).

    Raises:
        ValueError: `dim` is not divisible by `num_heads`.
    """
    if num_heads < 1 or dim % num_heads:
        raise ValueError(f"dim={dim} is not divisible by num_heads={num_heads}; choose a divisor of {dim}")
    inputs = [keras.Input((None, dim), name="sequence")]
    if padding_mask:
        inputs.append(keras.Input((None,), dtype="bool", name="padding_mask"))
    attention = layers.MultiHeadAttention(
        num_heads, dim // num_heads, use_bias=False, causal=causal, return_weights=return_weights, name="attended"
    )
    attended = attention(inputs[0], key_mask=inputs[1] if padding_mask else None)  # (B, T, dim)
    return keras.Model(inputs if padding_mask else inputs[0], attended, name="attention_block")
