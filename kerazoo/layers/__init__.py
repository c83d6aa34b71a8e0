"""Layers that Keras does not have. Importing this package imports no Keras; using a layer does."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "attention": ["MultiHeadAttention", "ScaledDotProductAttention", "attend"],
        "sequence": ["MaskedMean", "TokenAndPositionEmbedding"],
    },
)
