"""kerazoo: small documented Keras models, built by name, trained by their recipe, and checked.

Names are listed in `__init__.pyi` and loaded on first use: `import kerazoo` imports neither Keras nor TensorFlow.
"""

import sys

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

if "keras" in sys.modules:  # then `keras.saving.load_model` may be next, and must know our layers
    import kerazoo.layers.attention
    import kerazoo.layers.sequence  # noqa: F401
