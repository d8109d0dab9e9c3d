"""Pictures: the images routes, for clients and for upstreams that have them."""

from .action import DEFAULT_MODEL
from .routes import DrawsImages, routes
from .wire import EDITS, GENERATIONS, ImagesFormat

__all__ = ["DEFAULT_MODEL", "EDITS", "GENERATIONS", "DrawsImages", "ImagesFormat", "routes"]
