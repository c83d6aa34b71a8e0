"""kerazoo: small documented Keras models, built by name, trained by their recipe, and checked.

Names are listed in `__init__.pyi` and loaded on first use: `import kerazoo` imports neither Keras nor TensorFlow.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
