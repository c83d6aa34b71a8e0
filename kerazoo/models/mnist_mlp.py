"""The digit classifier of document 003, section 4."""

from kerazoo.lazy import keras
from kerazoo.registry import register
from kerazoo.schema import Recipe, Source, Tensor


@register(
    source=Source("003", section="4"),
    task="mnist",
    num_params=235_146,
    inputs=(Tensor("pixels", (784,), "float32", "the rows of a 28x28 picture, 0 (black) to 1 (white)"),),
    outputs=(Tensor("probabilities", (10,), "float32", "one probability a digit"),),
    recipe=Recipe(optimizer="adam", loss="sparse_categorical_crossentropy", batch_size=32, epochs=10),
    claims=("003/three-layers", "003/program", "003/accuracy", "003/optimizers", "004/transfer-saves-time"),
)
def mnist_mlp(units=(256, 128), num_classes=10):
    """Map (B, 784) float32 pixels in [0, 1] to (B, num_classes) class probabilities."""
    x = inputs = keras.Input((784,), name="pixels")
    for width in units:
        x = keras.layers.Dense(width, activation="relu")(x)  # (B, width)
    outputs = keras.layers.Dense(num_classes, activation="softmax", name="probabilities", dtype="float32")(x)
    return keras.Model(inputs, outputs, name="mnist_mlp")
