"""kerazoo: small documented Keras models, built by name, trained by their recipe, and checked.

Names are listed in `__init__.pyi` and loaded on first use: `import kerazoo` imports neither Keras nor TensorFlow.
"""

import lazy_loader

from kerazoo.lazy import choose_backend, when_imported

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


def _register() -> None:
    """Make Keras know the package's classes, so that `keras.saving.load_model` loads the models that have them."""
    import kerazoo.engine.layerwise
    import kerazoo.layers.attention
    import kerazoo.layers.sequence  # noqa: F401


when_imported("keras", _register, before=choose_backend)
