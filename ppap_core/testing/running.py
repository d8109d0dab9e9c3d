"""A whole proxy for a test: a real config file, a real socket, all installed plugins.

async with StubUpstream() as stub, running(CONFIG.format(url=stub.url)) as proxy:
    httpx.get(f"{proxy.base_url}/v1/models", headers=proxy.headers)
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import re
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import attrs

from ..config import Config
from ..credentials import Credential, write_credential_file
from ..exchange.record import ExchangeRecord
from ..hookspecs import hookimpl
from ..proxy import Proxy
from ..server import listening
from .contract import require

CLIENT_KEY: Final = "sk-client-for-tests-0001"
FOLDER: Final = "accounts"
RELOAD_PATIENCE: Final = 20.0
"""Seconds until a rewritten config.yaml must be in force."""
_HAS_KEYS: Final = re.compile(r"^api-keys:", re.MULTILINE)
_HAS_FOLDER: Final = re.compile(r"^auth-dir:", re.MULTILINE)


class _Witness:
    """Sees every config that comes into force, and every request that ends."""

    def __init__(self) -> None:
        self.records: list[ExchangeRecord] = []
        self.digest = ""
        self.news = asyncio.Event()

    @hookimpl
    def ppap_credentials(self, config: Config) -> Sequence[Credential]:
        self.digest = config.digest
        self._tell()
        return []

    @hookimpl
    def ppap_exchange_finished(self, record: ExchangeRecord) -> None:
        self.records.append(record)
        self._tell()

    def _tell(self) -> None:
        self.news.set()
        self.news = asyncio.Event()


@attrs.define(kw_only=True)
class RunningProxy:
    """A proxy that listens. ``records`` of finished requests come in the order they ended."""

    proxy: Proxy
    base_url: str
    config_path: Path
    _witness: _Witness
    expects_violations: bool = False
    """Whether a stream may break the rules of its format; otherwise leaving the block raises."""

    @property
    def client_key(self) -> str:
        """The first of ``api-keys`` in the config now in force; empty if it has none."""
        return next(iter(self.proxy.config.core.api_keys), "")

    @property
    def headers(self) -> Mapping[str, str]:
        """What a client sends to be let in; nothing where no key is needed."""
        return {"Authorization": f"Bearer {self.client_key}"} if self.client_key else {}

    @property
    def records(self) -> Sequence[ExchangeRecord]:
        return self._witness.records

    async def finished(self, count: int = 1) -> Sequence[ExchangeRecord]:
        """All records, as soon as there are at least ``count`` of them."""
        while len(self._witness.records) < count:
            await self._witness.news.wait()
        return self._witness.records

    def write(self, config_text: str) -> None:
        """Replaces config.yaml as an editor does, and leaves it to the proxy to notice."""
        _write(self.config_path, config_text)

    async def rewrite(self, config_text: str) -> None:
        """Replaces config.yaml; returns when it is in force. Raises `TimeoutError` if it never is."""
        self.write(config_text)
        wanted = hashlib.sha256(self.config_path.read_bytes()).hexdigest()
        async with asyncio.timeout(RELOAD_PATIENCE):
            while self._witness.digest != wanted:
                await self._witness.news.wait()

    async def rewrite_file(self, name: str, fields: Mapping[str, Any] | None) -> None:
        """Writes a credential file, or removes it (``None``); returns when that is in force."""
        folder = self.config_path.parent / FOLDER
        if fields is None:
            (folder / name).unlink()
        else:
            write_credential_file(folder, name, fields)
        async with asyncio.timeout(RELOAD_PATIENCE):
            while self._fields_of(name) != fields:
                await self._witness.news.wait()

    def _fields_of(self, name: str) -> Mapping[str, Any] | None:
        files = self.proxy.snapshot.files
        return next((file.fields for file in files if file.name == name), None)


@contextlib.asynccontextmanager
async def running(
    config_text: str, *, plugins: Sequence[object] = (), files: Mapping[str, Mapping[str, Any]] | None = None
) -> AsyncIterator[RunningProxy]:
    """Serves a proxy in this loop, on a free loopback port, until the block is left.

    Unless the config has ``api-keys`` of its own, `CLIENT_KEY` is added; unless it has an
    ``auth-dir``, that is a folder of its own. ``plugins`` are registered besides the installed ones,
    and ``files`` stand in that folder before the proxy starts. Raises `ConfigError`,
    and at the end `ContractBroken` if a guard found something in a stream that was sent to a client,
    unless the test expects it.
    """
    witness = _Witness()
    with tempfile.TemporaryDirectory(prefix="ppap-") as folder:
        path = Path(folder) / "config.yaml"
        _write(path, config_text)
        for name, fields in (files or {}).items():
            write_credential_file(path.parent / FOLDER, name, fields)
        proxy = Proxy(path, plugins=[*plugins, witness])
        async with listening(proxy) as base_url:
            started = RunningProxy(proxy=proxy, base_url=base_url, config_path=path, witness=witness)
            yield started
            found = proxy.violations.recent
            require(started.expects_violations or not found, f"streams break rules: {'; '.join(found)}")


def _write(path: Path, config_text: str) -> None:
    keys = "" if _HAS_KEYS.search(config_text) else f"api-keys: [{CLIENT_KEY}]\n"
    folder = "" if _HAS_FOLDER.search(config_text) else f"\nauth-dir: {path.parent / FOLDER}\n"
    beside = path.with_suffix(".new")
    beside.write_text(keys + config_text + folder, encoding="utf-8")
    os.replace(beside, path)
