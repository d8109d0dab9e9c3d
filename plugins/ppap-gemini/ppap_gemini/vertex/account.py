"""Credential files of type ``vertex`` (auth spec, 1.4; Gemini spec, 18.3).

    {"type": "vertex", "project_id": …, "email": …, "location": "us-central1", "service_account": {…}}

An ``api_key`` in the file outranks the service account, and so does an ``access_token``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import attrs

from ppap_core.credentials import Credential, CredentialFile, ModelEntry
from ppap_core.errors import CredentialFileError

from ..config import SAFETY_SETTINGS, VERTEX_BASE, VERTEX_MODELS
from .private_key import UnusableKey, loaded

TYPE: Final = "vertex"
DEFAULT_LOCATION: Final = "us-central1"
_GLOBAL: Final = "global"
_TOKEN_URI: Final = "https://oauth2.googleapis.com/token"


@attrs.frozen(kw_only=True)
class ServiceAccount:
    """Who asks for tokens, and where."""

    email: str
    private_key: str = attrs.field(repr=False)
    token_uri: str


@attrs.frozen(kw_only=True)
class VertexAccount:
    """One account of Vertex AI. Exactly one of ``api_key``, ``access_token`` and ``account`` is used."""

    project: str
    location: str = DEFAULT_LOCATION
    account: ServiceAccount | None = None
    api_key: str = attrs.field(default="", repr=False)
    access_token: str = attrs.field(default="", repr=False)
    base_url: str = ""
    headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    safety_settings: Mapping[str, str] = SAFETY_SETTINGS
    models: Sequence[ModelEntry] = ()

    @property
    def models_url(self) -> str:
        """Where its models are; with an API key neither project nor location matters."""
        if self.api_key:
            return f"{self.base_url or VERTEX_BASE}/{VERTEX_MODELS}"
        local = f"https://{self.location}-{VERTEX_BASE.removeprefix('https://')}"
        base = self.base_url or (VERTEX_BASE if self.location == _GLOBAL else local)
        place = f"projects/{self.project}/locations/{self.location}"
        return f"{base}/v1/{place}/{VERTEX_MODELS.removeprefix('v1/')}"


def credentials_in(file: CredentialFile) -> list[Credential]:
    """The account of a file. Raises `CredentialFileError`."""
    account = _account(file)
    service = account.account
    secrets = (account.api_key, account.access_token, service.private_key if service else "")
    return [
        Credential(
            id=file.name,
            provider=TYPE,
            label=file.label,
            channel="" if account.api_key else TYPE,
            settings=account,
            secrets=(*secrets, *account.headers.values()),
        )
    ]


def _account(file: CredentialFile) -> VertexAccount:
    account = VertexAccount(
        project=file.text("project_id"),
        location=file.text("location") or DEFAULT_LOCATION,
        api_key=file.text("api_key"),
        access_token=file.text("access_token"),
        base_url=file.text("base_url").rstrip("/"),
        headers=file.headers,
    )
    if account.api_key:
        return account
    if not account.project:
        raise CredentialFileError(file.name, "missing project_id in credentials")
    if account.access_token:
        return account
    told = file.fields.get("service_account")
    if not isinstance(told, dict):
        raise CredentialFileError(file.name, "missing service_account in credentials")
    try:
        return attrs.evolve(account, account=service_account(told))
    except ValueError as error:
        raise CredentialFileError(file.name, f"service_account: {error}") from None


def service_account(told: Mapping[str, Any]) -> ServiceAccount:
    """The account in Google's own JSON, its key known to be usable. Raises ``ValueError``."""
    key, email = told.get("private_key"), told.get("client_email")
    if not isinstance(key, str) or not isinstance(email, str):
        raise UnusableKey("private_key and client_email are needed")
    loaded(key)
    address = told.get("token_uri")
    token_uri = address if isinstance(address, str) and address else _TOKEN_URI
    return ServiceAccount(email=email, private_key=key, token_uri=token_uri)
