"""The seam between gradients and the optimizer: replace this one function to apply updates in a faster form."""


def apply_gradients(optimizer, gradients, variables):
    """Apply one step's `gradients` (tensors, IndexedSlices or None, of the scaled loss) to `variables`.

    Called while tracing, in replica context. Whatever replaces it must keep the optimizer's mathematics: loss
    scaling undone, clipping, weight decay, averages, constraints, `optimizer.iterations` advanced by one.
    """
    optimizer.apply_gradients(zip(gradients, variables, strict=True))
