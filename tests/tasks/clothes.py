"""A data set of one's own, and a model for it."""

import numpy as np

import kerazoo


def load(*, examples=96):
    """Return pictures (N, 28, 28, 1) float32 with a bright upper or lower half, or a bright middle."""
    random = np.random.default_rng(0)
    labels = np.arange(examples) % 3
    pictures = random.random((examples, 28, 28, 1), np.float32) / 4
    for picture, label in zip(pictures, labels, strict=True):
        picture[(slice(0, 14), slice(14, 28), slice(7, 21))[label]] += 0.7
    cut = examples * 3 // 4
    return kerazoo.Dataset("clothes", "1", "user", pictures[:cut], labels[:cut], pictures[cut:], labels[cut:])


kerazoo.register_task(kerazoo.tasks.Pictures("clothes", load, ("shirt", "trousers", "belt")))


@kerazoo.register(
    task="clothes",
    source=kerazoo.Source("mine", ""),
    num_params=883,
    recipe=kerazoo.Recipe("adam", "sparse_categorical_crossentropy", batch_size=8, epochs=8, learning_rate=0.01),
)
def clothes_cnn(filters=8, num_classes=3):
    """Map (B, 28, 28, 1) float32 pixels in [0, 1] to (B, num_classes) class probabilities."""
    import keras

    inputs = keras.Input((28, 28, 1), name="pixels")
    x = keras.layers.Conv2D(filters, 3, strides=2, activation="relu")(inputs)
    x = keras.layers.Conv2D(filters, 3, strides=2, activation="relu")(x)
    x = keras.layers.Flatten()(keras.layers.MaxPooling2D(2)(x))
    return keras.Model(inputs, keras.layers.Dense(num_classes, activation="softmax")(x))
