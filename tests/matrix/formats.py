"""The formats of the matrix by name, and the proxy that stands between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any, Final, Protocol

import attrs
from ppap_openai.responses import RESPONSES

from ppap_core.credentials import Credential
from ppap_core.exchange import Call, Failure, Verdict, by_status
from ppap_core.hookspecs import hookimpl
from ppap_core.models import Model
from ppap_core.proxy import Proxy
from ppap_core.testing import ReceivedRequest
from ppap_core.upstream import Upstream, UpstreamReply

from . import chat, gemini, messages, responses
from .asking import Request
from .facts import Facts

Json = dict[str, Any]
KEY: Final = "sk-upstream-0001"
UPSTREAM_MODEL: Final = "upstream-model"


class Format(Protocol):
    """What each format's module has."""

    def path(self, model: str, stream: bool) -> str: ...

    def ask(self, request: Request, model: str, stream: bool, replay: Json | None) -> Json: ...

    def collect(self, stream: bytes) -> Json: ...

    def hear(self, answer: Json) -> Facts: ...

    def read(self, request: ReceivedRequest) -> Facts: ...


FORMATS: Final[Mapping[str, ModuleType]] = {
    "chat": chat,
    "responses": responses,
    "messages": messages,
    "gemini": gemini,
}
_ENTRY: Final = (
    "[{{api-key: {key}, base-url: '{url}', models: [{{name: upstream-model, alias: to-{kind}}}]}}]"
)
CONFIG: Final = f"""
request-retry: 0
disable-cooling: true
openai-compatibility:
  - name: stub
    base-url: '{{url}}/v1'
    api-key-entries: [{{{{api-key: {KEY}}}}}]
    models: [{{{{name: upstream-model, alias: to-chat}}}}]
claude-api-key: {_ENTRY.replace("{kind}", "messages").replace("{key}", KEY)}
gemini-api-key: {_ENTRY.replace("{kind}", "gemini").replace("{key}", KEY)}
vertex-api-key: {_ENTRY.replace("{kind}", "vertex").replace("{key}", KEY)}
"""


@attrs.frozen
class Speaker:
    """A provider whose upstreams speak Responses, as small as one can be."""

    upstream: Upstream
    name = "speaker"
    wire = RESPONSES

    async def send(self, call: Call) -> UpstreamReply:
        url = f"{call.credential.settings}/v1/responses"
        return await self.upstream.post(url, call.body, {"content-type": "application/json"})

    def classify(self, failure: Failure) -> Verdict:
        return by_status(failure)


@attrs.frozen
class SpeakerPlugin:
    """Brings it, with one account at `url`."""

    url: str

    @hookimpl
    def ppap_providers(self, proxy: Proxy) -> Sequence[Speaker]:
        return [Speaker(proxy.upstream)]

    @hookimpl
    def ppap_credentials(self) -> Sequence[Credential]:
        return [Credential(id="speaker:1", provider="speaker", label="speaker", settings=self.url)]

    @hookimpl
    def ppap_models(self, credential: Credential) -> Sequence[Model] | None:
        mine = credential.provider == "speaker"
        return [Model(id="to-responses", upstream=(UPSTREAM_MODEL,))] if mine else None
