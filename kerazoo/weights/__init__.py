"""Pretrained weights: the files in this directory, and reading and writing them."""

from kerazoo.weights.packing import pack, unpack
from kerazoo.weights.store import Pretrained, content, load, manifest, save

__all__ = ["Pretrained", "content", "load", "manifest", "pack", "save", "unpack"]
