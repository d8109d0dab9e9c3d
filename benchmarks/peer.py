"""Installs a peer to compare with, once, into an environment of its own under `build/`."""

from __future__ import annotations

import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path
from typing import Final

from .servers import ROOT, LiteLLM, Server

LITELLM_VERSION: Final = "1.106.2"
"""The version that the figures in the design were measured with; a peer must not change between runs."""


def litellm() -> LiteLLM:
    """Raises CalledProcessError if pip cannot install it."""
    place = ROOT / "build" / f"peer-litellm-{LITELLM_VERSION}"
    _install(place, f"litellm[proxy]=={LITELLM_VERSION}", place / "bin" / "litellm")
    return LiteLLM(place / "bin" / "litellm")


PEERS: Final[dict[str, Callable[[], Server]]] = {"litellm": litellm}


def _install(place: Path, requirement: str, program: Path) -> None:
    if program.exists():
        return
    print(f"installing {requirement} into {place} (once; some minutes)", file=sys.stderr)
    venv.create(place, with_pip=True, clear=True)
    pip = (str(place / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    subprocess.run((*pip, requirement), check=True)
