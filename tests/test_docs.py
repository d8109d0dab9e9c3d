"""The docs say what the code does: examples are files that run, references are generated."""

from __future__ import annotations

import contextlib
import importlib.util
import re
from pathlib import Path
from types import ModuleType

import httpx
import pytest

from ppap_core.cli import cli
from ppap_core.testing.running import running

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
