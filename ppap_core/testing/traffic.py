"""Sample traffic of a wire format, for its conformance suite."""

from __future__ import annotations

from collections.abc import Mapping

import attrs


@attrs.frozen(kw_only=True)
class Traffic:
    """Name of the case → its bytes, as real clients and upstreams of the format send them.

    ``requests`` are bodies that a client sends, ``replies`` whole answers, ``streams`` whole
    streamed answers, each of them healthy. ``errors`` are error answers: HTTP status and body.
    ``stream_errors`` are streams in which the upstream reports its failure in-band.
    What a codec does not offer needs no sample.
    """

    requests: Mapping[str, bytes] = attrs.field(factory=dict)
    replies: Mapping[str, bytes] = attrs.field(factory=dict)
    streams: Mapping[str, bytes] = attrs.field(factory=dict)
    stream_errors: Mapping[str, bytes] = attrs.field(factory=dict)
    errors: Mapping[str, tuple[int, bytes]] = attrs.field(factory=dict)
