"""Credential files: which are read, what operators may write, and how changes arrive (auth spec, 1)."""

from __future__ import annotations

import json
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from ppap_core import hookimpl
from ppap_core.credentials import Credential, CredentialFile, CredentialFiles, write_credential_file
from ppap_core.errors import CredentialFileError
from ppap_core.exchange import by_status
from ppap_core.models import Model
from ppap_core.testing.running import RunningProxy, running


def put(folder: Path, name: str, data: object) -> Path:
    path = folder / name
    path.write_text(data if isinstance(data, str) else json.dumps(data), encoding="utf-8")
    return path


def file_of(**fields: Any) -> CredentialFile:
    return CredentialFile(path=Path("parrot-1.json"), type="parrot", fields=fields)


def governed(**fields: Any) -> Credential:
    plain = Credential(id="parrot-1.json", provider="parrot", label="p", settings=None)
    return file_of(**fields).governed(plain)


# --- reading ----------------------------------------------------------------------------------


def test_only_json_files_right_in_the_folder_count(tmp_path: Path) -> None:
    """Folders, other names, and JSON that is no credential are passed over without a word (1.2)."""
    put(tmp_path, "b.JSON", {"type": " Parrot "})
    put(tmp_path, "a.json", {"type": "parrot", "x": 1})
    put(tmp_path, "none.json", {"kind": "parrot"})
    put(tmp_path, "list.json", "[1]")
    put(tmp_path, "empty.json", "")
    put(tmp_path, ".oauth-1.oauth", {"type": "parrot"})
    (tmp_path / "folder.json").mkdir()
    put(tmp_path / "folder.json", "c.json", {"type": "parrot"})
    read = CredentialFiles().read(tmp_path)
    assert [(file.name, file.type) for file in read] == [("a.json", "parrot"), ("b.JSON", "parrot")]
    assert CredentialFiles().read(tmp_path / "nowhere") == ()


def test_a_broken_file_is_told_by_name_and_keeps_its_last_good_reading(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A half-written file costs neither its own account nor any other (config spec, 7.3)."""
    files = CredentialFiles()
    put(tmp_path, "new.json", '{"type": "parrot"')
    put(tmp_path, "old.json", {"type": "parrot", "key": "secret-0001"})
    before = files.read(tmp_path)
    assert [file.name for file in before] == ["old.json"]
    assert "new.json:1:" in caplog.text
    put(tmp_path, "old.json", '{"type": "parrot", "key": "secret-0001')
    assert files.read(tmp_path) == before
    put(tmp_path, "old.json", "")
    assert files.read(tmp_path) == before
    assert "secret" not in caplog.text
    put(tmp_path, "old.json", {"no": "type"})
    assert files.read(tmp_path) == ()


@pytest.mark.parametrize(
    ("fields", "label"),
    [
        ({"label": "Mine", "email": "a@b.c"}, "Mine"),
        ({"email": " a@b.c ", "project_id": "p"}, "a@b.c"),
        ({"label": 5, "project_id": "p"}, "p"),
        ({}, "parrot"),
    ],
)
def test_what_a_file_is_called(fields: dict[str, Any], label: str) -> None:
    """Its label, else its e-mail address, else its project, else its type (1.3)."""
    assert file_of(**fields).label == label


# --- what operators write ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "name", "value"),
    [
        ({"prefix": " /team/ "}, "prefix", "team"),
        ({"prefix": "a/b"}, "prefix", ""),
        ({"proxy_url": " direct "}, "proxy_url", "direct"),
        ({"disabled": True}, "disabled", True),
        ({"disabled": "true"}, "disabled", False),
        ({"priority": " 10 "}, "priority", 10),
        ({"priority": 8}, "priority", 8),
        ({"priority": -1.9}, "priority", -1),
        ({"priority": "1x"}, "priority", 0),
        ({"priority": True}, "priority", 0),
        ({"excluded_models": [" A* ", "b", "a*", 5, ""]}, "excluded_models", ("a*", "b")),
        ({"excluded-models": ["x"]}, "excluded_models", ("x",)),
        ({"disable_cooling": "True"}, "disable_cooling", True),
        ({"disable-cooling": 1}, "disable_cooling", True),
        ({"disable_cooling": "no"}, "disable_cooling", False),
        ({"request_retry": "2"}, "request_retry", 2),
        ({"request-retry": -3}, "request_retry", 0),
        ({"request_retry": "x"}, "request_retry", None),
    ],
)
def test_an_operators_fields_reach_the_credential(fields: dict[str, Any], name: str, value: Any) -> None:
    """Every kind of file takes them, in every spelling that operators have used (1.3)."""
    assert getattr(governed(**fields), name) == value


def test_headers_are_texts_with_a_name() -> None:
    """Blank and odd ones are dropped (1.3)."""
    told = {" X-A ": " 1 ", "": "x", "X-B": "", "X-C": 5}
    assert file_of(headers=told).headers == {"x-a": "1"}


def test_an_unusable_proxy_is_told_by_file_and_never_shown() -> None:
    """Going without the proxy would send traffic by a way the operator did not want (7)."""
    with pytest.raises(CredentialFileError, match=r"parrot-1\.json: proxy_url") as raised:
        governed(proxy_url="ftp://user:pass@x")
    assert "pass" not in str(raised.value)


# --- writing ----------------------------------------------------------------------------------


def test_a_file_is_written_whole_and_for_its_owner_alone(tmp_path: Path) -> None:
    """0600 in a folder of 0700; what the operator wrote survives a new login (1.2)."""
    folder = tmp_path / "accounts"
    path = write_credential_file(folder, "a.json", {"type": "parrot", "token": "1", "priority": 3})
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    write_credential_file(folder, "a.json", {"type": "parrot", "token": "2"})
    assert json.loads(path.read_text()) == {"type": "parrot", "token": "2", "priority": 3}
    assert [each.name for each in folder.iterdir()] == ["a.json"]
    with pytest.raises(TypeError):
        write_credential_file(folder, "a.json", {"type": object()})
    assert [each.name for each in folder.iterdir()] == ["a.json"]


# --- in a running proxy -----------------------------------------------------------------------


class Parrots:
    """A plugin whose accounts are files; one that says so cannot be used."""

    name = "parrot"
    classify = staticmethod(by_status)

    def generate(self, *_: object) -> Any:
        raise NotImplementedError

    @hookimpl
    def ppap_providers(self) -> Sequence[Any]:
        return [self]

    @hookimpl
    def ppap_credential_file(self, file: CredentialFile) -> Sequence[Credential] | None:
        if file.type != "parrot":
            return None
        if "broken" in file.fields:
            raise CredentialFileError(file.name, "it is an ex-parrot")
        return [Credential(id=file.name, provider="parrot", label=file.label, settings=file.fields)]

    @hookimpl
    def ppap_models(self, credential: Credential) -> Sequence[Model] | None:
        if credential.provider != "parrot":
            return None
        return [Model(id=f"{credential.label}-1", upstream=["polly"])]


async def models(proxy: RunningProxy) -> set[str]:
    async with httpx.AsyncClient(base_url=proxy.base_url, headers=dict(proxy.headers)) as client:
        listed = {model["id"] for model in (await client.get("/v1/models")).json()["data"]}
    return listed - {"demo"}


A: Mapping[str, Any] = {"type": "parrot", "label": "a"}
B: Mapping[str, Any] = {"type": "parrot", "label": "b", "prefix": "team"}


async def test_accounts_come_change_and_go_while_the_proxy_runs(caplog: pytest.LogCaptureFixture) -> None:
    """The next request sees what the folder holds; unusable files are told by name (1.8)."""
    files = {"a.json": A, "bad.json": {"type": "parrot", "broken": 1}, "alien.json": {"type": "martian"}}
    async with running("", plugins=[Parrots()], files=files) as proxy:
        assert await models(proxy) == {"a-1"}
        assert "bad.json: it is an ex-parrot" in caplog.text
        assert "alien.json is not used: no plugin took an account of type martian" in caplog.text
        await proxy.rewrite_file("b.json", B)
        assert await models(proxy) == {"a-1", "b-1", "team/b-1"}
        await proxy.rewrite_file("b.json", {**B, "disabled": True})
        assert await models(proxy) == {"a-1"}
        assert proxy.proxy.snapshot.credentials["b.json"].disabled
        await proxy.rewrite_file("a.json", None)
        assert await models(proxy) == set()


async def test_what_was_learnt_stays_with_accounts_that_did_not_change() -> None:
    """A file's change forgets the cooldowns of that file only (7.4)."""
    async with running("", plugins=[Parrots()], files={"a.json": A, "b.json": B}) as proxy:
        before = proxy.proxy.snapshot.credentials
        await proxy.rewrite_file("b.json", {**B, "priority": 5})
        after = proxy.proxy.snapshot.credentials
        assert after["a.json"] == before["a.json"]
        assert after["b.json"].priority == 5


async def test_another_folder_takes_effect_at_once(tmp_path: Path) -> None:
    """A new ``auth-dir`` replaces the accounts of the old one, and is followed from then on (7.6)."""
    put(tmp_path, "b.json", B)
    async with running("", plugins=[Parrots()], files={"a.json": A}) as proxy:
        await proxy.rewrite(f"auth-dir: {tmp_path}\n")
        assert await models(proxy) == {"b-1", "team/b-1"}
