"""Private keys of service accounts, mended where copying has damaged them (auth spec, 1.4).

Only the cryptography package knows what a key is; here are the texts around it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

_ESCAPES: Final = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[@-_])")
_PEM: Final = re.compile(r"-----BEGIN ([A-Z ]*PRIVATE KEY)-----(.*?)-----END \1-----", re.DOTALL)
_BASE64: Final = re.compile(r"[A-Za-z0-9+/]+")
_LINE: Final = 64


class UnusableKey(ValueError):
    """The text is no RSA key that could be mended. Its message holds nothing of the text."""


def mended(text: str) -> str:
    """PEM: terminal escapes, broken line ends and foreign characters gone. Raises `UnusableKey`."""
    plain = _ESCAPES.sub("", text).replace("\\r", "").replace("\\n", "\n").replace("\r", "\n")
    found = _PEM.search(plain)
    if found is None:
        raise UnusableKey("the private key is not PEM: it has no BEGIN and END PRIVATE KEY lines")
    kind, inner = found.groups()
    data = "".join(_BASE64.findall(inner))
    data += "=" * (-len(data) % 4)
    lines = [data[start : start + _LINE] for start in range(0, len(data), _LINE)]
    return "\n".join([f"-----BEGIN {kind}-----", *lines, f"-----END {kind}-----", ""])


def loaded(text: str) -> RSAPrivateKey:
    """The key in a text, mended if need be. Raises `UnusableKey`."""
    # Slow to import, and needed only where there is a service account.
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(mended(text).encode(), password=None)
    except UnusableKey:
        raise
    except Exception as error:
        raise UnusableKey(f"the private key cannot be read ({type(error).__name__})") from None
    if not isinstance(key, RSAPrivateKey):
        raise UnusableKey("the private key is not an RSA key")
    return key
