"""Keras's Adam, RMSprop and SGD with one pass over memory for each variable.

Keras writes an update as a chain of operations, each of which reads and writes whole arrays; for a
large embedding that costs more than its gradient. TensorFlow's own update kernels do the same
arithmetic in one pass. Slots, iterations and learning rate are the optimizer's own, so what is
saved, resumed or scheduled does not change. The gradient of a lookup is made dense first: moving
only the rows of a batch ("lazy" Adam) would be another algorithm.
"""

import weakref

import keras
import tensorflow as tf

_SCRATCH: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()


def apply(optimizer, grads, variables):
    """Do what `optimizer.apply_gradients` does, fused where that is the same arithmetic.

    Args:
        optimizer: a built `keras.optimizers.Optimizer`; meant for use inside a `tf.function`.
        grads: tensors or `tf.IndexedSlices` or None, one for each variable.
        variables: `keras.Variable`s the optimizer was built with.
    """
    kernel = _KERNELS.get(type(optimizer))
    if kernel is None or not _is_plain(optimizer) or not all(map(_fits, grads, variables)):
        optimizer.apply_gradients(zip(grads, variables, strict=True))
        return
    rate, step = optimizer.learning_rate, optimizer.iterations + 1
    for gradient, variable in zip(grads, variables, strict=True):
        index = optimizer._get_variable_index(variable)
        dtype = variable.value.dtype
        sparse = isinstance(gradient, tf.IndexedSlices)
        grad = _dense(optimizer, index, variable, gradient) if sparse else gradient
        kernel(
            optimizer, index, variable.value.handle, tf.cast(grad, dtype), tf.cast(rate, dtype), tf.cast(step, dtype)
        )
    optimizer.iterations.assign_add(1)


def _dense(optimizer, index, variable, slices):
    """Sum the slices of each row of a lookup's gradient: (V, D).

    Keras's Adam squares the slices first and sums after, so a row that a batch holds k times has
    sum(g²) in its velocity, not sum(g)². What differs is moved into the old velocity, whose share in
    the new one is beta_2; the kernel then arrives at Keras's number.
    """
    distinct, rows = tf.unique(slices.indices)
    values, count = tf.cast(slices.values, variable.value.dtype), tf.size(distinct)
    total = tf.math.unsorted_segment_sum(values, rows, count)  # (N, D)
    if type(optimizer) is keras.optimizers.Adam:
        excess = tf.math.unsorted_segment_sum(tf.square(values), rows, count) - tf.square(total)
        beta_2 = _rounded(optimizer.beta_2, values.dtype)
        excess *= tf.constant((1 - beta_2) / beta_2, values.dtype)
        optimizer._velocities[index].value.scatter_add(tf.IndexedSlices(excess, distinct))
    return tf.math.unsorted_segment_sum(total, distinct, variable.shape[0])


def _rounded(value, dtype):
    return float(dtype.as_numpy_dtype(value))


def _adam(optimizer, index, handle, grad, rate, step):
    beta_1, beta_2 = (tf.constant(beta, grad.dtype) for beta in (optimizer.beta_1, optimizer.beta_2))
    # The kernel takes 1 - beta_2 of the rounded beta_2: 1.3e-5 off in float32, so its velocity is too.
    # Its root divides the step; the rate takes that back, or the loss drifts from Keras's.
    rate *= tf.constant(((1 - _rounded(optimizer.beta_2, grad.dtype)) / (1 - optimizer.beta_2)) ** 0.5, grad.dtype)
    tf.raw_ops.ResourceApplyAdam(
        var=handle,
        m=optimizer._momentums[index].value.handle,
        v=optimizer._velocities[index].value.handle,
        beta1_power=tf.pow(beta_1, step),
        beta2_power=tf.pow(beta_2, step),
        lr=rate,
        beta1=beta_1,
        beta2=beta_2,
        epsilon=tf.constant(optimizer.epsilon, grad.dtype),  # both add it outside the bias correction
        grad=grad,
    )


def _rmsprop(optimizer, index, handle, grad, rate, step):
    rho, epsilon, none = (tf.constant(value, grad.dtype) for value in (optimizer.rho, optimizer.epsilon, 0))
    tf.raw_ops.ResourceApplyRMSProp(
        var=handle,
        ms=optimizer._velocities[index].value.handle,
        mom=_scratch(optimizer, index, grad).handle,
        lr=rate,
        rho=rho,
        momentum=none,
        epsilon=epsilon,  # both add it inside the root
        grad=grad,
    )


def _scratch(optimizer, index, like):
    """A variable for the momentum slot that the kernel wants and Keras's optimizer does not have.

    With momentum 0 it carries nothing from one step to the next, so it is not part of the state.
    """
    slots = _SCRATCH.setdefault(optimizer, {})
    if index not in slots:
        with tf.init_scope():
            slots[index] = tf.Variable(tf.zeros(like.shape, like.dtype), trainable=False)
    return slots[index]


def _sgd(optimizer, index, handle, grad, rate, step):
    if optimizer.momentum:
        slot = optimizer.momentums[index].value.handle
        momentum = tf.constant(optimizer.momentum, grad.dtype)
        # The slot of this kernel, like Keras's, has the learning rate in it and the sign of the step.
        tf.raw_ops.ResourceApplyKerasMomentum(
            var=handle, accum=slot, lr=rate, grad=grad, momentum=momentum, use_nesterov=optimizer.nesterov
        )
    else:
        tf.raw_ops.ResourceApplyGradientDescent(var=handle, alpha=rate, delta=grad)


_KERNELS = {
    keras.optimizers.Adam: _adam,
    keras.optimizers.RMSprop: _rmsprop,
    keras.optimizers.SGD: _sgd,
}
_OFF = (
    "weight_decay",
    "clipnorm",
    "clipvalue",
    "global_clipnorm",
    "use_ema",
    "loss_scale_factor",
    "gradient_accumulation_steps",
    "amsgrad",  # Adam
    "centered",  # RMSprop
)


def _is_plain(optimizer):
    """Whether the fused kernels cover everything this optimizer was asked to do."""
    return (
        keras.backend.backend() == "tensorflow"
        and optimizer.built
        and not any(getattr(optimizer, name, None) for name in _OFF)
        and not (type(optimizer) is keras.optimizers.RMSprop and optimizer.momentum)
        and getattr(optimizer, "beta_2", 1)  # `_dense` divides by it
        and not tf.distribute.has_strategy()  # Keras also sums over replicas
    )


def _fits(grad, variable):
    """Whether one pair is a plain dense update."""
    return (
        grad is not None
        and variable.constraint is None
        and not getattr(variable, "overwrite_with_gradient", False)
        and variable.value.dtype in (tf.float32, tf.float64)
    )
