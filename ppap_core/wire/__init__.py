"""Wire formats: the contract of a codec, and what all codecs share."""

from .body import JsonBody, Kind
from .format import (
    NO_NAMES,
    ClientWire,
    EncodedRequest,
    Framing,
    NameMap,
    OfFamily,
    Peek,
    Reframed,
    RelayedReply,
    RelayWire,
    StreamDecoder,
    StreamEncoder,
    StreamPath,
    Target,
    UpstreamWire,
    WireFormat,
    family_of,
)

__all__ = [
    "NO_NAMES",
    "ClientWire",
    "EncodedRequest",
    "Framing",
    "JsonBody",
    "Kind",
    "NameMap",
    "OfFamily",
    "Peek",
    "Reframed",
    "RelayWire",
    "RelayedReply",
    "StreamDecoder",
    "StreamEncoder",
    "StreamPath",
    "Target",
    "UpstreamWire",
    "WireFormat",
    "family_of",
]
