"""Wire formats: the contract of a codec, and what all codecs share."""

from .body import JsonBody
from .format import (
    NO_NAMES,
    ClientWire,
    EncodedRequest,
    NameMap,
    Peek,
    RelayedReply,
    RelayWire,
    StreamDecoder,
    StreamEncoder,
    StreamPath,
    Target,
    UpstreamWire,
    WireFormat,
)

__all__ = [
    "NO_NAMES",
    "ClientWire",
    "EncodedRequest",
    "JsonBody",
    "NameMap",
    "Peek",
    "RelayWire",
    "RelayedReply",
    "StreamDecoder",
    "StreamEncoder",
    "StreamPath",
    "Target",
    "UpstreamWire",
    "WireFormat",
]
