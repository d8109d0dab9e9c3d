"""The conformance suite passes a sound codec, and finds what is wrong with an unsound one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from ppap_core.conversation import Conversation, Delta, End, ErrorDetail, Event, Finish, ItemEnd
from ppap_core.testing import ContractBroken
from ppap_core.testing.codec import codec_checks
from ppap_core.wire import EncodedRequest, JsonBody, NameMap, Peek, Target

from .parrot import TRAFFIC, LinesDecoder, LinesEncoder, LinesRelay, OnceDecoder, ParrotLines


@pytest.mark.parametrize("check", codec_checks(ParrotLines(), TRAFFIC), ids=str)
def test_a_sound_codec_passes(check: Callable[[], None]) -> None:
    """Each rule of the suite holds for a codec that keeps the contract."""
    check()


class _FullPeek(ParrotLines):
    def peek(self, body: JsonBody) -> Peek:
        return Peek(str(body.decoded().get("model")), stream=False)


class _ImpoliteRequest(ParrotLines):
    def decode_request(self, body: JsonBody) -> Conversation:
        body.decoded()["model"] + ""
        return super().decode_request(body)


class _LineByRead(OnceDecoder):
    """Takes the end of a read for the end of a line."""

    def feed(self, data: bytes) -> list[Event]:
        return super().feed(data + b"\n") if data.endswith(b"}") else super().feed(data)


class _CutAtReads(ParrotLines):
    def stream_decoder(self, names: NameMap) -> LinesDecoder:
        return _ReadIsALine()


class _ReadIsALine(OnceDecoder):
    def feed(self, data: bytes) -> list[Event]:
        events = super().feed(data)
        return [event for event in events if not (isinstance(event, Delta) and not data.endswith(b"\n"))]


class _SilentEnd(ParrotLines):
    """A stream that was cut is passed off as finished (pain 13)."""

    def stream_decoder(self, names: NameMap) -> LinesDecoder:
        return _AlwaysFinishes()


class _AlwaysFinishes(OnceDecoder):
    def close(self) -> list[Event]:
        *items, end = super().close()
        return [*items, Finish("stop"), end] if not self._over else [*items, end]


class _ForgetsItemEnds(ParrotLines):
    def stream_decoder(self, names: NameMap) -> LinesDecoder:
        return _NoItemEnd()


class _NoItemEnd(OnceDecoder):
    def _events(self, fields: Any) -> Iterator[Event]:
        return (event for event in super()._events(fields) if not isinstance(event, ItemEnd))


class _EndsTwice(ParrotLines):
    def stream_decoder(self, names: NameMap) -> LinesDecoder:
        return _TwoEnds()


class _TwoEnds(OnceDecoder):
    def close(self) -> list[Event]:
        return [*super().close(), End()]


class _MergesCalls(ParrotLines):
    """Parallel calls all get index 0 (pain 22)."""

    def stream_encoder(self, conversation: Conversation) -> LinesEncoder:
        return _OneIndex()


class _OneIndex(LinesEncoder):
    def feed(self, events: Sequence[Event]) -> bytes:
        return super().feed(events).replace(b'"call":1', b'"call":0')


class _LosesErrors(ParrotLines):
    def encode_error(self, error: ErrorDetail) -> bytes:
        return b'{"oops": "An error occurred"}'


class _Reserialises(ParrotLines):
    """A relayed body is built anew, which loses the client's own spelling (pain 23)."""

    def patch_request(self, body: JsonBody, target: Target) -> EncodedRequest:
        return self.encode_request(self.decode_request(body), target)


class _QuietRelay(ParrotLines):
    """A relayed stream that was cut ends as if it were whole (pain 13)."""

    def stream_relay(self, body: JsonBody, client_model: str, target: Target) -> LinesRelay:
        return _NoLastWord(client_model, target)


class _NoLastWord(LinesRelay):
    def close(self) -> bytes:
        return self.feed(b"\n") if self._rest else b""


class _Leaks(ParrotLines):
    """An upstream's bytes end up in an error message."""

    def stream_decoder(self, names: NameMap) -> LinesDecoder:
        return _QuotesTheUpstream()


class _QuotesTheUpstream(OnceDecoder):
    def _read(self, raw: bytes) -> Iterator[Event]:
        if not raw.startswith(b"{"):
            raise KeyError(raw)
        return super()._read(raw)


UNSOUND = {
    "peek agrees with decode_request [plain]": _FullPeek,
    "an altered request is refused or understood [plain]": _ImpoliteRequest,
    "any cut of a stream gives the same events [text]": _CutAtReads,
    "a stream cut short never finishes [text]": _SilentEnd,
    "a stream is read to its end [text]": _EndsTwice,
    "any cut of a stream gives the same events [calls]": _ForgetsItemEnds,
    "a stream that was written is read back": _MergesCalls,
    "an error can be told [429]": _LosesErrors,
    "a relayed request keeps its bytes [plain]": _Reserialises,
    "a stream cut short ends with an error [text]": _QuietRelay,
    "any bytes are read as a stream or reported": _Leaks,
}


@pytest.mark.parametrize("rule", UNSOUND)
def test_an_unsound_codec_is_found_out(rule: str) -> None:
    """Each kind of broken codec fails at the rule that it breaks."""
    check = next(check for check in codec_checks(UNSOUND[rule](), TRAFFIC) if str(check) == rule)
    with pytest.raises((ContractBroken, AssertionError, TypeError, KeyError)):
        check()


def test_what_a_codec_does_not_offer_is_not_checked() -> None:
    """A format that only clients speak gets the rules for clients alone."""

    class ForClients:
        name, stream_media_type, keep_alive = "x", "text/plain", b"\n"
        peek = ParrotLines.peek
        decode_request = ParrotLines.decode_request
        encode_reply = ParrotLines.encode_reply
        stream_encoder = ParrotLines.stream_encoder
        encode_error = ParrotLines.encode_error

    names = {str(check) for check in codec_checks(ForClients(), TRAFFIC)}
    assert "every legal stream can be written" in names
    assert not any("stream is read" in name or "relayed" in name for name in names)


def test_an_object_that_is_no_codec_is_refused() -> None:
    """An object without the methods of a codec is an error, not an empty list of checks."""
    with pytest.raises(TypeError, match="ClientWire"):
        codec_checks(object(), TRAFFIC)  # type: ignore[arg-type]
