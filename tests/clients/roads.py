"""The roads from a client to a model: straight to the stub, or through the proxy to an upstream."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Final

import attrs

from ppap_core.testing import Answer, ReceivedRequest, StubUpstream, whole
from ppap_core.testing.running import RunningProxy, running

from ..dialects import DIALECTS, Dialect, Turn, answer

MODEL: Final = "some-model"
"""What clients ask for; the stub is asked for ``upstream-model``."""
UPSTREAM_KEY: Final = "sk-upstream-0001"
DIRECT: Final = "direct"
AT_ONCE: Final = "request-retry: 0\n"
"""For a road on which the proxy tells a failure without trying the same upstream again."""
AS_IT_COMES: Final = AT_ONCE + "disable-cooling: true\n"
"""For a road on which, besides, the next request is tried however the last one ended."""
TOLD_AS: Final = {401: 503, 403: 503}
"""Upstream status → what the proxy's client is told, where they differ.

Both are about the proxy's own credential; a client that is told so throws its own key away.
"""

CONFIGS: Final[Mapping[str, str]] = {
    "chat": """
openai-compatibility:
  - name: stub
    base-url: {url}/v1
    api-key-entries:
      - api-key: {key}
    models:
      - name: upstream-model
        alias: {model}
""",
    "responses": """
codex-api-key:
  - api-key: {key}
    base-url: {url}
    models:
      - name: upstream-model
        alias: {model}
      - name: gpt-5.5
      - name: gpt-5.3-codex-spark
""",
    "messages": """
claude-api-key:
  - api-key: {key}
    base-url: {url}
    models:
      - name: upstream-model
        alias: {model}
""",
    "gemini": """
gemini-api-key:
  - api-key: {key}
    base-url: {url}
    models:
      - name: upstream-model
        alias: {model}
""",
}
ROADS: Final = (DIRECT, *CONFIGS)
PROXIED: Final = tuple(CONFIGS)


@attrs.frozen(kw_only=True)
class Road:
    """One way to the stub. ``base_url`` has no ``/v1``; ``proxy`` is ``None`` on the direct road."""

    stub: StubUpstream
    upstream: Dialect
    proxy: RunningProxy | None

    def told(self, status: int) -> int:
        """The status that the client sees when the stub answers with `status`."""
        return TOLD_AS.get(status, status) if self.proxy else status

    @property
    def base_url(self) -> str:
        return self.proxy.base_url if self.proxy else self.stub.url

    @property
    def key(self) -> str:
        return self.proxy.client_key if self.proxy else UPSTREAM_KEY

    def says(self, *turns: Turn) -> None:
        """What the model answers to the next requests, each in the form that was asked for."""
        self.stub.answers(*(self._saying(turn) for turn in turns))

    def always_says(self, turn: Turn) -> None:
        self.stub.otherwise(self._saying(turn))

    def refuses(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> Answer:
        """An answer with an error status in the upstream's words."""
        return whole(self.upstream.error(status, message), status=status, headers=headers)

    def asked(self, number: int = -1) -> Any:
        """The body of a request as the stub got it, decoded."""
        return self.stub.requests[number].json()

    def asked_text(self, number: int = -1) -> str:
        return json.dumps(self.asked(number))

    def _saying(self, turn: Turn) -> Callable[[ReceivedRequest], Answer]:
        return lambda request: answer(self.upstream, request, turn)


@contextlib.asynccontextmanager
async def road(name: str, client: str, *, config: str = "") -> AsyncIterator[Road]:
    """The road of that name for a client that speaks the dialect `client`.

    ``config`` is added to the proxy's config.yaml; ``{url}`` in it is the stub's address.
    """
    async with StubUpstream() as stub, contextlib.AsyncExitStack() as stack:
        if name == DIRECT:
            yield Road(stub=stub, upstream=DIALECTS[client], proxy=None)
            return
        text = (CONFIGS[name] + config).format(url=stub.url, key=UPSTREAM_KEY, model=MODEL)
        proxy = await stack.enter_async_context(running(text))
        yield Road(stub=stub, upstream=DIALECTS[name], proxy=proxy)
