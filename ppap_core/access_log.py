"""One line per request: who asked for what, who served it, how long it took."""

from __future__ import annotations

import asyncio
import sys
from functools import lru_cache
from time import localtime, strftime
from typing import Final

from .exchange.record import ExchangeRecord
from .hookspecs import hookimpl

_FLUSH_SECONDS: Final = 0.1
"""Lines are written in batches: a write for each would cost more than the line itself."""


class AccessLog:
    """The built-in listener that writes to standard error."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    @hookimpl
    def ppap_exchange_finished(self, record: ExchangeRecord) -> None:
        if not self._lines:
            asyncio.get_running_loop().call_later(_FLUSH_SECONDS, self.flush)
        self._lines.append(line_of(record))

    @hookimpl
    def ppap_shutdown(self) -> None:
        self.flush()

    def flush(self) -> None:
        if self._lines:
            text = "".join(self._lines)
            self._lines.clear()
            sys.stderr.write(text)
            sys.stderr.flush()


def line_of(record: ExchangeRecord) -> str:
    """Time, id, status, client, request, model asked → served by, timings, tokens, error."""
    served = f"{record.requested_model or '-'}"
    if record.credential_id:
        served += f" -> {record.served_model} @ {record.credential_label} [{record.credential_id}]"
    first_byte = f"{record.first_byte * 1000:.0f} ms" if record.first_byte is not None else "-"
    usage = record.usage
    tokens = f" | {usage.input_total}+{usage.output_total} tokens" if usage else ""
    attempts = f" | {len(record.attempts)} attempts" if len(record.attempts) > 1 else ""
    error = f" | {record.outcome}: {record.error}" if record.error else ""
    return (
        f"{_clock(int(record.started_at))} {record.id} "
        f"| {record.status} | {record.client_address or '-'} | {record.method} {record.path} | {served} "
        f"| first byte {first_byte}, total {record.total * 1000:.0f} ms{tokens}{attempts}{error}\n"
    )


@lru_cache(maxsize=4)
def _clock(second: int) -> str:
    """Formatting a time costs more than the rest of the line; requests of one second share it."""
    return strftime("%Y-%m-%d %H:%M:%S", localtime(second))
