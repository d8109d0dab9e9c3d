"""The docs say what the code does: examples are files that run, references are generated."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import inspect
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import httpx
import pytest
from ppap_openai import testing as chat

import ppap_core.exchange
from ppap_core import hookimpl, hookspecs
from ppap_core.cli import cli
from ppap_core.credentials import Credential
from ppap_core.models import Model
from ppap_core.proxy import Proxy
from ppap_core.testing import StubUpstream, whole
from ppap_core.testing.running import running
from ppap_core.upstream import UpstreamReply
from ppap_core.wire import abilities, guard

ROOT = Path(__file__).parents[1]


def tutorial() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "ppap_echo", ROOT / "examples" / "tutorial" / "ppap_echo.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["ppap_echo.py", "pyproject.toml"])
def test_the_tutorial_shows_the_files_of_its_example(name: str) -> None:
    page = (ROOT / "docs" / "plugins.md").read_text()
    assert (ROOT / "examples" / "tutorial" / name).read_text() in page


def test_every_hook_and_ability_has_its_row() -> None:
    """With the arguments of the hook, in the one table of each kind."""
    page = (ROOT / "docs" / "plugins.md").read_text()
    hooks = {name: hook for name, hook in vars(hookspecs).items() if name.startswith("ppap_")}
    assert [name for name, hook in hooks.items() if f"| `{name}({_arguments(hook)})` |" not in page] == []
    kinds = {**vars(abilities), **vars(guard)}
    optional = [name for name, kind in kinds.items() if getattr(kind, "_is_runtime_protocol", False)]
    wires = {"ClientWire", "UpstreamWire", "RelayWire"}
    assert [name for name in {*optional, *wires} if f"| `{name}` |" not in page] == []


def _arguments(hook: Callable[..., object]) -> str:
    return ", ".join(inspect.signature(hook).parameters)


async def test_the_tutorials_provider_answers_every_client_format() -> None:
    async with contextlib.AsyncExitStack() as stack:
        proxy = await stack.enter_async_context(running("echo: {words: Polly!}\n", plugins=[tutorial()]))
        client = httpx.AsyncClient(base_url=proxy.base_url, headers=dict(proxy.headers))
        async with client:
            body = {"model": "echo-1", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}]}
            chat = await client.post("/v1/chat/completions", json=body)
            assert chat.json()["choices"][0]["message"]["content"] == "Polly!"
            messages = await client.post("/v1/messages", json=body)
            assert messages.json()["content"][0]["text"] == "Polly!"


PYTHON_BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("number", [0, 1], ids=["openai", "anthropic"])
async def test_the_readmes_first_requests_work_as_they_stand(number: int) -> None:
    """Each block is run by a Python of its own; only address and key are this test's."""
    code = PYTHON_BLOCK.findall((ROOT / "README.md").read_text())[number]
    async with running("demo: {enabled: true}\n") as proxy:
        script = code.replace("http://127.0.0.1:8317", proxy.base_url)
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            script,
            env={**os.environ, "PPAP_KEY": proxy.client_key},
            stdout=asyncio.subprocess.PIPE,
        )
        said, _ = await process.communicate()
    assert said.decode().strip() == "You said: Hello"


async def test_the_provider_with_a_wire_that_the_guide_shows_works() -> None:
    page = (ROOT / "docs" / "plugins.md").read_text()
    (code,) = (block for block in PYTHON_BLOCK.findall(page) if "class MyProvider" in block)
    given: dict[str, Any] = {**vars(ppap_core.exchange), "Proxy": Proxy, "UpstreamReply": UpstreamReply}
    async with StubUpstream(whole(chat.reply("fine"))) as stub:
        exec(code.replace("https://api.example.com", stub.url), given)

        class Plugin:
            @hookimpl
            def ppap_providers(self, proxy: Proxy) -> list[Any]:
                return [given["MyProvider"](proxy)]

            @hookimpl
            def ppap_credentials(self) -> list[Credential]:
                settings = SimpleNamespace(api_key="sk-mine")
                return [Credential(id="m", provider="my-provider", label="m", settings=settings)]

            @hookimpl
            def ppap_models(self, credential: Credential) -> list[Model] | None:
                mine = credential.provider == "my-provider"
                return [Model(id="m", upstream=["up"])] if mine else None

        async with running("port: 0\n", plugins=[Plugin()]) as proxy, httpx.AsyncClient() as client:
            url = f"{proxy.base_url}/v1/chat/completions"
            answer = await client.post(url, headers=dict(proxy.headers), content=chat.request(model="m"))
    assert answer.json()["choices"][0]["message"]["content"] == "fine"
    assert stub.requests[0].headers["authorization"] == "Bearer sk-mine"


def test_every_command_is_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text()
    for command in cli.commands:
        assert f"`ppap {command}" in readme


def test_links_between_pages_lead_somewhere() -> None:
    pages = [
        ROOT / "README.md",
        *ROOT.glob("docs/*.md"),
        *ROOT.glob("plugins/*/README.md"),
        *ROOT.glob("examples/*/README.md"),
    ]
    for page in pages:
        for link in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text()):
            if not link.startswith("http"):
                assert (page.parent / link).exists(), f"{page}: {link}"


@pytest.mark.parametrize(
    "project", [".", "plugins/ppap-openai", "plugins/ppap-claude", "examples/custom-provider"]
)
def test_version_and_changelog_agree(project: str) -> None:
    manifest = (ROOT / project / "pyproject.toml").read_text()
    version = re.search(r'^version = "(.+)"$', manifest, re.MULTILINE)
    newest = re.search(r"^## \[?(\d[^\] ]*)", (ROOT / project / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert version is not None
    assert newest is not None
    assert version.group(1) == newest.group(1)
