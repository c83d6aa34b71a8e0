"""The experiments that settle the claims; importing this package enters them all in the catalog.

Its modules import neither TensorFlow nor Keras at import time: `from kerazoo.lazy import keras, np, tf`.
"""

import importlib
import pkgutil

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
