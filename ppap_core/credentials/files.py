"""Credential files: the JSON of ``auth-dir``, and what operators may write into any (auth spec, 1.2, 1.3)."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import attrs
import orjson

from ..config import InvalidSetting, normalise
from ..config.watch import json_files
from ..errors import CredentialFileError
from .credential import Credential

log = logging.getLogger("ppap.credentials")

OPERATOR_KEYS: Final = frozenset(
    {
        "prefix",
        "proxy_url",
        "disabled",
        "priority",
        "note",
        "headers",
        "excluded_models",
        "excluded-models",
        "disable_cooling",
        "disable-cooling",
        "request_retry",
        "request-retry",
    }
)
"""What an operator adds to a file; it stays when the account is written anew."""
_TRUE: Final = frozenset({"1", "t", "true"})


@attrs.frozen(kw_only=True)
class CredentialFile:
    """One file as it was read. ``type`` is in lower case; ``fields`` is all of it, secrets included."""

    path: Path
    type: str
    fields: Mapping[str, Any] = attrs.field(repr=False)

    @property
    def name(self) -> str:
        """The file's name in its directory: the id of what it describes."""
        return self.path.name

    @property
    def label(self) -> str:
        """What operators call it: its ``label``, ``email`` or ``project_id``, else its type."""
        told = (self.text(key) for key in ("label", "email", "project_id"))
        return next(filter(None, told), self.type)

    @property
    def headers(self) -> Mapping[str, str]:
        """Extra headers for the upstream, by names in lower case; a provider sets them last."""
        told = self.fields.get("headers")
        pairs = told.items() if isinstance(told, dict) else ()
        return normalise.headers({name: value for name, value in pairs if isinstance(value, str)})

    def text(self, key: str) -> str:
        """A field's text without blanks around it; empty if it is no text."""
        value = self.fields.get(key)
        return value.strip() if isinstance(value, str) else ""

    def governed(self, credential: Credential) -> Credential:
        """The credential with what the operator wrote into the file. Raises `CredentialFileError`."""
        try:
            proxy_url = normalise.proxy_url(self.text("proxy_url"))
        except InvalidSetting as error:
            raise CredentialFileError(self.name, f"proxy_url: {error}") from None
        excluded = self._either("excluded_models")
        names = excluded if isinstance(excluded, list) else ()
        retry = _integer(self._either("request_retry"))
        return attrs.evolve(
            credential,
            disabled=credential.disabled or self.fields.get("disabled") is True,
            prefix=normalise.prefix(self.text("prefix")),
            proxy_url=proxy_url,
            priority=_integer(self.fields.get("priority")) or 0,
            excluded_models=normalise.patterns(
                (*credential.excluded_models, *(name for name in names if isinstance(name, str)))
            ),
            disable_cooling=_is_true(self._either("disable_cooling")),
            request_retry=None if retry is None else max(0, retry),
        )

    def _either(self, key: str) -> Any:
        """A field by its name, or by the same with a dash."""
        return self.fields.get(key, self.fields.get(key.replace("_", "-")))


def _integer(value: object) -> int | None:
    """Of a number, cut off at the point, or of text that is a whole one; ``None`` for all else."""
    if isinstance(value, str):
        try:
            return int(value)
        except ValueError:
            return None
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _is_true(value: object) -> bool:
    if isinstance(value, str):
        return value.strip().lower() in _TRUE
    return isinstance(value, int | float) and bool(value)


# --- reading ----------------------------------------------------------------------------------


@attrs.frozen
class _Seen:
    """A reading, and what the file looked like then. ``file`` is ``None`` for what is no credential."""

    inode: int
    modified_ns: int
    size: int
    file: CredentialFile | None


class CredentialFiles:
    """Reads the directory; only files that changed are opened.

    What cannot be read, or is half written, is told by name and keeps its last good reading, if there
    was one. Other JSON, without a ``type``, is not ours.
    """

    def __init__(self) -> None:
        self._seen: dict[Path, _Seen] = {}

    def read(self, directory: Path) -> tuple[CredentialFile, ...]:
        """In the order of their names; none if there is no such directory."""
        before, self._seen = self._seen, {}
        for path, status in json_files(directory):
            self._seen[path] = _look(path, status, before.get(path))
        return tuple(seen.file for seen in self._seen.values() if seen.file is not None)


def _look(path: Path, status: os.stat_result, before: _Seen | None) -> _Seen:
    seen = _Seen(status.st_ino, status.st_mtime_ns, status.st_size, before.file if before else None)
    if seen == before:
        return seen
    try:
        data = path.read_bytes()
        fields = orjson.loads(data) if data.strip() else None
    except OSError as error:
        log.error("%s cannot be read: %s", path, error.strerror)
    except orjson.JSONDecodeError as error:
        log.error("%s:%d:%d: not JSON; it was skipped", path, error.lineno, error.colno)
    else:
        if data.strip():
            return attrs.evolve(seen, file=_file(path, fields))
    return seen


def _file(path: Path, fields: Any) -> CredentialFile | None:
    kind = fields.get("type") if isinstance(fields, dict) else None
    if not isinstance(kind, str) or not kind.strip():
        return None
    return CredentialFile(path=path, type=kind.strip().lower(), fields=fields)


# --- writing ----------------------------------------------------------------------------------


def write_credential_file(directory: Path, name: str, fields: Mapping[str, Any]) -> Path:
    """Writes a file whole or not at all, for its owner's eyes only; returns its path.

    A file of that name is replaced, but keeps what the operator wrote into it. Raises ``OSError``.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = directory / name
    kept = {key: value for key, value in _fields_of(path).items() if key in OPERATOR_KEYS}
    descriptor, beside = tempfile.mkstemp(dir=directory, prefix=".", suffix=".tmp")
    try:
        with open(descriptor, "wb") as file:
            file.write(orjson.dumps({**kept, **fields}, option=orjson.OPT_INDENT_2))
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except BaseException:
        os.unlink(beside)
        raise
    return path


def _fields_of(path: Path) -> Mapping[str, Any]:
    try:
        fields = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return {}
    return fields if isinstance(fields, dict) else {}
