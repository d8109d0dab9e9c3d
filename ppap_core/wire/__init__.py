"""Wire formats: the contract of a codec, and what all codecs share."""

from .body import JsonBody, Kind
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
    "Kind",
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
