"""Ten small models that are not of the zoo, each with data, and plain Keras on the engine's order of examples."""

import keras
import numpy as np

from kerazoo.engine.arrays import mapped, order

L = keras.layers
RNG = np.random.default_rng(3)
N = 72  # four and a half batches of 16
PICTURES = RNG.normal(size=(N, 8, 8, 1)).astype("float32")
VECTORS = RNG.normal(size=(N, 6)).astype("float32")
SEQUENCES = RNG.normal(size=(N, 7, 5)).astype("float32")
TOKENS = RNG.integers(0, 11, (N, 9)).astype("int32")
LABELS = RNG.integers(0, 3, N)
TARGETS = (VECTORS @ RNG.normal(size=(6, 1))).astype("float32")


def keras_fit(model, x, y, epochs, batch_size, seed=0, weights=None, **options):
    """Plain `model.fit`, reading the examples in the engine's order; returns the history."""
    if keras.backend.backend() == "tensorflow":
        model.jit_compile = False  # the same mathematics, without the seconds that XLA takes to compile it
    history = {}
    for epoch in range(epochs):
        rows = order(len(keras.tree.flatten(y)[0]), seed, epoch)
        part = model.fit(
            mapped(lambda a, rows=rows: a[rows], x),
            mapped(lambda a, rows=rows: a[rows], y),
            batch_size=batch_size,
            shuffle=False,
            verbose=0,
            sample_weight=None if weights is None else weights[rows],
            **options,
        ).history
        for name, values in part.items():
            history.setdefault(name, []).extend(values)
    return history


def same_weights(a, b, **tolerance):
    """Assert that two models have the same weights, exactly or within a tolerance."""
    for u, v in zip(a.get_weights(), b.get_weights(), strict=True):
        np.testing.assert_allclose(u, v, **tolerance) if tolerance else np.testing.assert_array_equal(u, v)


def same_history(ours, theirs, rtol=1e-4):
    """Assert that two histories have the same quantities and values."""
    assert ours.keys() == theirs.keys()
    for name in ours:
        np.testing.assert_allclose(ours[name], theirs[name], rtol=rtol, err_msg=name)


def _compiled(*layers, shape, optimizer="adam", loss="sparse_categorical_crossentropy", metrics=("accuracy",)):
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input(shape), *(make() for make in layers)])
    model.compile(optimizer, loss, metrics=list(metrics))
    return model


def _classifier():
    return L.Dense(3, "softmax")


def cnn():
    """A convolution, a pooling, a classifier."""
    parts = (lambda: L.Conv2D(4, 3, activation="relu"), lambda: L.MaxPooling2D(2), L.Flatten, _classifier)
    return _compiled(*parts, shape=(8, 8, 1))


def gru():
    """A GRU over sequences of vectors."""
    return _compiled(lambda: L.GRU(6), _classifier, shape=(7, 5), optimizer="rmsprop")


def bidirectional():
    """A bidirectional LSTM over tokens, padding masked."""
    parts = (lambda: L.Embedding(11, 4, mask_zero=True), lambda: L.Bidirectional(L.LSTM(5)), _classifier)
    return _compiled(*parts, shape=(9,))


def two_inputs():
    """Vectors and tokens, given as a dict."""
    keras.utils.set_random_seed(1)
    a, b = keras.Input((6,), name="vectors"), keras.Input((9,), name="tokens", dtype="int32")
    both = L.Concatenate()([L.Dense(8, "relu")(a), L.Flatten()(L.Embedding(11, 4)(b))])
    model = keras.Model({"vectors": a, "tokens": b}, _classifier()(both))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def two_outputs():
    """A class and a number, each with a loss and a metric."""
    keras.utils.set_random_seed(1)
    inputs = keras.Input((6,))
    hidden = L.Dense(8, "tanh")(inputs)
    outputs = {"kind": L.Dense(3, "softmax", name="kind")(hidden), "size": L.Dense(1, name="size")(hidden)}
    model = keras.Model(inputs, outputs)
    losses = {"kind": "sparse_categorical_crossentropy", "size": "mse"}
    model.compile("adam", losses, loss_weights={"kind": 1.0, "size": 0.3}, metrics={"size": ["mae"]})
    return model


def residual():
    """Two blocks, each added to what went in, the second a nested model."""
    keras.utils.set_random_seed(1)
    inner = keras.Sequential([keras.Input((6,)), L.Dense(6, "relu"), L.LayerNormalization()])
    inputs = keras.Input((6,))
    hidden = L.Add()([inputs, L.Dense(6, "relu")(inputs)])
    model = keras.Model(inputs, _classifier()(L.Add()([hidden, inner(hidden)])))
    model.compile(keras.optimizers.SGD(0.05, momentum=0.9), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


class OwnStep(keras.Model):
    """A subclass whose train step adds a penalty on its outputs and reports a quantity of its own."""

    def __init__(self):
        super().__init__()
        self.hidden, self.head = L.Dense(8, "tanh"), _classifier()

    def call(self, x):
        """Map (B, 6) to (B, 3) probabilities."""
        return self.head(self.hidden(x))

    def penalised(self, y, predictions):
        """The loss and the penalty."""
        return self.compute_loss(y=y, y_pred=predictions) + 0.1 * keras.ops.mean(predictions**2)

    def train_step(self, *given):
        """One step, by the gradients of the backend at hand."""
        return self._jax_step(*given) if keras.backend.backend() == "jax" else self._tensorflow_step(*given)

    def _tensorflow_step(self, data):
        import tensorflow as tf

        x, y = data
        with tf.GradientTape() as tape:
            loss = self.penalised(y, self(x))
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
        return {"penalised": loss, "rate": self.optimizer.learning_rate}

    def _jax_step(self, state, data):
        import jax

        (trainable, others, of_optimizer, metrics), (x, y) = state, data

        def loss_of(trainable):
            return self.penalised(y, self.stateless_call(trainable, others, x)[0])

        loss, gradients = jax.value_and_grad(loss_of)(trainable)
        rate = of_optimizer[1]
        trainable, of_optimizer = self.optimizer.stateless_apply(of_optimizer, gradients, trainable)
        return {"penalised": loss, "rate": rate}, (trainable, others, of_optimizer, metrics)


def own_step():
    """The model with a train step of its own."""
    keras.utils.set_random_seed(1)
    model = OwnStep()
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


def batch_normalized():
    """Batch normalization, whose moving averages are state, and dropout off."""
    # Without a bias: the normalization takes it away, and Adam would make steps of the rounding that is its gradient.
    parts = (lambda: L.Dense(8, use_bias=False), L.BatchNormalization, L.ReLU, _classifier)
    return _compiled(*parts, shape=(6,))


def autoencoder():
    """Pictures to themselves."""
    flat = (L.Flatten, lambda: L.Dense(5, "relu"), lambda: L.Dense(64), lambda: L.Reshape((8, 8, 1)))
    return _compiled(*flat, shape=(8, 8, 1), loss="mse", metrics=())


def regression():
    """A number from a vector, examples weighted."""
    return _compiled(lambda: L.Dense(8, "relu"), lambda: L.Dense(1), shape=(6,), loss="mse", metrics=("mae",))


WEIGHTS = RNG.uniform(0.2, 2, N).astype("float32")
MODELS = {
    "cnn": (cnn, PICTURES, LABELS, None),
    "gru": (gru, SEQUENCES, LABELS, None),
    "bidirectional": (bidirectional, TOKENS, LABELS, None),
    "two_inputs": (two_inputs, {"vectors": VECTORS, "tokens": TOKENS}, LABELS, None),
    "two_outputs": (two_outputs, VECTORS, {"kind": LABELS, "size": TARGETS}, None),
    "residual": (residual, VECTORS, LABELS, None),
    "own_step": (own_step, VECTORS, LABELS, None),
    "batch_normalized": (batch_normalized, VECTORS, LABELS, None),
    "autoencoder": (autoencoder, PICTURES, PICTURES, None),
    "regression": (regression, VECTORS, TARGETS, WEIGHTS),
}
