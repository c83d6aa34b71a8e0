"""Pretrained weights: the files in this directory, and reading and writing them."""

from kerazoo.weights.packing import pack, unpack
from kerazoo.weights.store import Pretrained, load, manifest, save

__all__ = ["Pretrained", "load", "manifest", "pack", "save", "unpack"]
