"""The digit classifier with dropout of document 004, section 5.2."""

from kerazoo.lazy import keras
from kerazoo.registry import register
from kerazoo.schema import Recipe, Source, Tensor


@register(
    source=Source("004", section="5.2"),
    task="mnist",
    num_params=669_706,
    inputs=(Tensor("pixels", (784,), "float32", "the rows of a 28x28 picture, 0 (black) to 1 (white)"),),
    outputs=(Tensor("probabilities", (10,), "float32", "one probability a digit"),),
    recipe=Recipe(
        optimizer="rmsprop",
        loss="sparse_categorical_crossentropy",
        batch_size=64,
        epochs=20,
        validation="test",
    ),
    claims=(
        "004/first-layer",
        "004/program",
        "004/dropout-prevents-overfitting",
        "004/rmsprop-converges-better",
    ),
)
def mnist_mlp_dropout(units=(512, 512), dropout=0.2, num_classes=10):
    """Map (B, 784) float32 pixels in [0, 1] to (B, num_classes) class probabilities.

    Raises:
        ValueError: `dropout` is outside [0, 1].
    """
    x = inputs = keras.Input((784,), name="pixels")
    for width in units:
        x = keras.layers.Dense(width, activation="relu")(x)  # (B, width)
        x = keras.layers.Dropout(dropout)(x)
    outputs = keras.layers.Dense(num_classes, activation="softmax", name="probabilities", dtype="float32")(x)
    return keras.Model(inputs, outputs, name="mnist_mlp_dropout")
