"""Pictures: the images routes, for clients and for upstreams that have them."""

from .routes import DrawsImages, routes
from .wire import EDITS, GENERATIONS, ImagesFormat

__all__ = ["EDITS", "GENERATIONS", "DrawsImages", "ImagesFormat", "routes"]
