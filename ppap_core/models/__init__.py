"""Models: what credentials serve, what clients may ask for, and how both are matched and listed."""

from .catalogue import Catalogue, InvalidCatalogue
from .corrections import Corrections
from .index import AUTO, Asked, ListedModel, ModelIndex
from .listing import ModelList, shape_for
from .model import Model
from .offers import build_index
from .patterns import matcher
from .suffix import SuffixedName, upstream_name

__all__ = [
    "AUTO",
    "Asked",
    "Catalogue",
    "Corrections",
    "InvalidCatalogue",
    "ListedModel",
    "Model",
    "ModelIndex",
    "ModelList",
    "SuffixedName",
    "build_index",
    "matcher",
    "shape_for",
    "upstream_name",
]
