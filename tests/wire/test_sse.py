"""Finding whole frames in any cut of a stream."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ppap_core.errors import MalformedStream
from ppap_core.wire import sse
from ppap_core.wire.sse import FrameSplitter, frames, payload, plain_payloads

STREAM = b'data: {"a":1}\n\n: ping\n\nevent: x\ndata: {"b":2}\n\ndata: [DONE]\n\n'


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


@given(st.lists(st.integers(0, 200), max_size=12), st.booleans())
def test_any_cut_gives_the_same_frames(places: list[int], crlf: bool) -> None:
    data = STREAM.replace(b"\n", b"\r\n") if crlf else STREAM
    splitter = FrameSplitter()
    found = [frame for piece in cut(data, places) if piece for frame in frames(splitter.feed(piece))]
    assert found == frames(STREAM)
    assert splitter.close().strip() == b""


def test_one_read_of_whole_frames_is_passed_on_as_it_is() -> None:
    assert FrameSplitter().feed(STREAM) is not None
    assert FrameSplitter().feed(STREAM) == STREAM


def test_an_unfinished_frame_is_given_at_the_end() -> None:
    splitter = FrameSplitter()
    assert splitter.feed(b"data: 1\n\ndata: 2") == b"data: 1\n\n"
    assert splitter.close() == b"data: 2"


def test_a_frame_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """pain 35: memory per stream is bounded."""
    monkeypatch.setattr(sse, "MAX_FRAME_BYTES", 10)
    with pytest.raises(MalformedStream):
        FrameSplitter().feed(b"data: 0123456789")


@pytest.mark.parametrize(
    ("frame", "data"),
    [
        (b"data: x", b"x"),
        (b"data:x", b"x"),
        (b"  data: x", b"x"),
        (b"event: e\ndata: x", b"x"),
        (b"id: 1\nretry: 2\ndata: a\ndata: b", b"a\nb"),
        (b": comment", b""),
        (b"event: e", b""),
    ],
)
def test_the_payload_is_what_the_data_lines_hold(frame: bytes, data: bytes) -> None:
    assert payload(frame) == data


LINES = st.sampled_from(
    [b"data: ", b"data: a", b"data:b", b"data: [DONE]", b": ping", b"event: x", b"", b"\r"]
)


@given(st.lists(LINES, max_size=8))
def test_the_short_way_to_payloads_is_the_long_way(lines: list[bytes]) -> None:
    """Whatever stands in a block: its payloads at once are those of its frames, or there are none."""
    block = b"".join(line + b"\n\n" for line in lines) + (b"\n" if b"\r" in lines else b"")
    at_once = plain_payloads(block)
    assert at_once is None or at_once == [payload(frame) for frame in frames(block)]


def test_the_short_way_is_taken_where_every_frame_is_one_line_of_data() -> None:
    assert plain_payloads(b"data: a\n\ndata: b\n\n") == [b"a", b"b"]
