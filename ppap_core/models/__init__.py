"""Models: what credentials serve, what clients may ask for, and how both are matched and listed."""

from .index import AUTO, ListedModel, ModelIndex, build_index
from .listing import ModelList, shape_for
from .model import Model
from .patterns import matcher

__all__ = [
    "AUTO",
    "ListedModel",
    "Model",
    "ModelIndex",
    "ModelList",
    "build_index",
    "matcher",
    "shape_for",
]
