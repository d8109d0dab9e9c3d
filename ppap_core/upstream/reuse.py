"""One request on a kept connection; on a new one if the kept one turns out to be dead.

A server may close an idle connection at the moment we write to it. Then nobody read the request,
though we sent it, and the client must not be told of an error. So a request is sent once more, on
a new connection, if and only if the connection had carried an earlier request and closed without
a single byte in answer to this one. RFC 9112 (9.3.1) allows that without further thought only for
idempotent methods. We do it for POST as well: an LLM request has no lasting effect, and a server
that starts to work on one and then drops the connection without a byte is far rarer than an idle
time-out. A timeout is never repeated, nor an error on a fresh connection, nor half an answer.
"""

from __future__ import annotations

from ..errors import UpstreamBroken
from .address import Origin
from .http1 import Exchange
from .pool import ConnectionPool
from .reply import Deadlines


async def exchange(
    pool: ConnectionPool, origin: Origin, method: str, head: bytes, body: bytes, deadlines: Deadlines
) -> Exchange:
    """Returns when the answer's head is here. Raises `UpstreamError`."""
    connection = pool.take(origin) or await pool.open(origin, deadlines.connect)
    reused = connection.served > 0
    try:
        return await connection.send(method, head, body, deadlines)
    except UpstreamBroken:
        if not reused or connection.answered:
            raise
    connection = await pool.open(origin, deadlines.connect)
    return await connection.send(method, head, body, deadlines)
