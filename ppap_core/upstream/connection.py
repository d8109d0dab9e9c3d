"""Opening a connection, and what to call it when that fails."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from typing import Final

from ..errors import ConnectFailed
from .address import Origin
from .http1 import Http1Connection, Owner

_UNTRUSTED_HINT: Final = "; if it is meant to be trusted, name its CA in upstream.ca-file"


async def open_connection(
    origin: Origin, context: ssl.SSLContext | None, loop: asyncio.AbstractEventLoop, owner: Owner
) -> Http1Connection:
    """``context``: ``None`` for plain HTTP. Raises `ConnectFailed`; leaves nothing open if cancelled."""
    connection = Http1Connection(origin, loop, owner)
    try:
        await loop.create_connection(
            lambda: connection,
            origin.host,
            origin.port,
            ssl=context,
            server_hostname=origin.host if context is not None else None,
        )
    except OSError as error:
        connection.abort()
        raise ConnectFailed(f"{origin}: {why_not(error)}") from error
    except BaseException:
        connection.abort()
        raise
    return connection


def why_not(error: BaseException) -> str:
    """A failed attempt to connect, in words that hold nothing the other side sent."""
    match error:
        case ssl.SSLCertVerificationError():
            return f"its TLS certificate is not accepted: {error.verify_message}{_UNTRUSTED_HINT}"
        case ssl.SSLError():
            return f"the TLS handshake failed: {error.reason or 'unknown reason'}"
        case socket.gaierror():
            return "the host name cannot be resolved; check the URL and DNS"
        case OSError(errno=int(number)):
            return f"cannot connect: {os.strerror(number)}"
        case _:
            return "cannot connect: every address of the host refused or closed the connection"
