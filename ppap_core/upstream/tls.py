"""TLS towards upstreams: verified, with SNI, HTTP/1.1 only."""

from __future__ import annotations

import os
import ssl

import certifi

from ..errors import ConnectFailed


def client_context(ca_file: str = "") -> ssl.SSLContext:
    """Trusts the system's certificates, or those that ``SSL_CERT_FILE`` names; where there are
    none, certifi's. ``ca_file`` is trusted in addition. Raises `ConnectFailed` for unreadable files.
    """
    named = os.environ.get("SSL_CERT_FILE", "")
    context = ssl.create_default_context()  # OpenSSL itself reads SSL_CERT_FILE and SSL_CERT_DIR
    context.set_alpn_protocols(["http/1.1"])
    if named:
        _trust(context, named, "SSL_CERT_FILE")
    elif not os.environ.get("SSL_CERT_DIR") and not context.cert_store_stats()["x509_ca"]:
        context.load_verify_locations(certifi.where())
    if ca_file:
        _trust(context, ca_file, "upstream.ca-file")
    return context


def _trust(context: ssl.SSLContext, path: str, setting: str) -> None:
    try:
        context.load_verify_locations(os.path.expanduser(path))
    except OSError as error:  # ssl.SSLError is one, too
        reason = error.strerror if not isinstance(error, ssl.SSLError) else "it holds no PEM certificate"
        raise ConnectFailed(f"{setting}: {path} cannot be used for TLS: {reason}") from None
