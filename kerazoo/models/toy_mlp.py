"""The two-class perceptron of document 000, section 5.2, which the document writes in PyTorch."""

from kerazoo.lazy import keras
from kerazoo.registry import register
from kerazoo.schema import Recipe, Source, Tensor


@register(
    source=Source("000", section="5.2"),
    task="toy",
    num_params=52,
    inputs=(Tensor("features", (2,), "float32", "two features"),),
    outputs=(Tensor("logits", (2,), "float32", "one logit a class, before the softmax"),),
    recipe=Recipe(
        optimizer="sgd",
        learning_rate=0.01,
        loss="sparse_categorical_crossentropy",
        from_logits=True,
        batch_size=4,  # the whole training set: plain gradient descent
        epochs=1000,
    ),
    claims=("000/program", "000/training-log", "000/printed-output"),
)
def toy_mlp(input_dim=2, hidden_dim=10, output_dim=2):
    """Map (B, input_dim) float32 features to (B, output_dim) logits."""
    x = inputs = keras.Input((input_dim,), name="features")
    x = keras.layers.Dense(hidden_dim, activation="relu")(x)  # (B, hidden_dim)
    return keras.Model(inputs, keras.layers.Dense(output_dim, name="logits")(x), name="toy_mlp")
