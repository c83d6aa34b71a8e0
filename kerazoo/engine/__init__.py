"""The engine: `fit`, `evaluate` and `predict` for any compiled Keras model, with the mathematics of Keras's own."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={"checkpoint": ["CheckpointError"], "api": ["evaluate", "fit", "predict"]},
)
