"""SSE as a client reads it."""

from __future__ import annotations


def data_of(stream: bytes) -> list[str]:
    """The data of each frame; comments are skipped."""
    frames = (frame.split("\n") for frame in stream.decode().split("\n\n"))
    data = (
        [line.removeprefix("data:").strip() for line in lines if line.startswith("data:")] for lines in frames
    )
    return ["\n".join(lines) for lines in data if lines]
