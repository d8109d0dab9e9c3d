"""A proxy for tests is a real one: its own config file, its own port, plugins given by the test."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from ppap_core.credentials import Credential
from ppap_core.errors import ConfigError
from ppap_core.exchange import endpoint
from ppap_core.hookspecs import hookimpl
from ppap_core.models import Model
from ppap_core.testing.running import CLIENT_KEY, running

from .parrot import Echo, ParrotLines


class EchoPlugin:
    """A whole third-party plugin: format, route, provider, credential, model."""

    @hookimpl
    def ppap_wire_formats(self) -> Sequence[Any]:
        return [ParrotLines()]

    @hookimpl
    def ppap_routes(self, proxy: Any) -> Sequence[Any]:
        return [endpoint(proxy, ["/speak"], ParrotLines())]

    @hookimpl
    def ppap_providers(self, proxy: Any) -> Sequence[Any]:
        return [Echo()]

    @hookimpl
    def ppap_credentials(self, config: Any) -> Sequence[Credential]:
        return [Credential(id="echo:1", provider="echo", label="echo", settings=None)]

    @hookimpl
    def ppap_models(self, credential: Credential) -> Sequence[Model] | None:
        return [Model(id="parrot-1", upstream=["parrot-1"])] if credential.provider == "echo" else None


async def test_a_plugin_of_the_test_answers() -> None:
    """What a test registers serves real requests, and their records can be awaited."""
    async with running("", plugins=[EchoPlugin()]) as proxy, httpx.AsyncClient() as client:
        response = await client.post(
            f"{proxy.base_url}/speak", headers=proxy.headers, json={"model": "parrot-1", "turns": []}
        )
        (record,) = await proxy.finished()
    assert response.json()["says"] == "parrot-1"
    assert (record.outcome, record.surface, record.provider) == ("succeeded", "parrot-lines", "echo")
    assert proxy.records == [record]


async def test_a_key_is_needed() -> None:
    """Without keys of its own, the config gets the kit's; whoever has none is refused."""
    async with running("", plugins=[EchoPlugin()]) as proxy, httpx.AsyncClient() as client:
        response = await client.post(f"{proxy.base_url}/speak", json={"model": "parrot-1"})
        assert proxy.client_key == CLIENT_KEY
    assert response.status_code == 401


async def test_a_rewritten_config_is_in_force_when_the_call_returns() -> None:
    """`rewrite` returns after the reload, not before."""
    async with running("debug: false\n") as proxy:
        assert not proxy.proxy.config.core.debug
        await proxy.rewrite("debug: true\n")
        assert proxy.proxy.config.core.debug


async def test_keys_in_the_config_are_left_alone() -> None:
    """A config with its own `api-keys` does not get another."""
    async with running("api-keys: [sk-own-0001]\n") as proxy:
        assert list(proxy.proxy.config.core.api_keys) == ["sk-own-0001"]
        assert proxy.client_key == "sk-own-0001"


async def test_a_mistake_in_the_first_config_is_raised() -> None:
    """A proxy does not start on a config that cannot be used."""
    with pytest.raises(ConfigError, match="port"):
        async with running("port: many\n"):
            pass
