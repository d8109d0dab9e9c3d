"""The tutorial's provider: it says what it was asked to say."""

from collections.abc import AsyncIterator

import attrs

from ppap_core import hookimpl
from ppap_core.config import setting
from ppap_core.conversation import Conversation, Delta, End, Event, Finish, ItemEnd, ItemStart, Start
from ppap_core.credentials import Credential
from ppap_core.exchange import by_status
from ppap_core.models import Model
from ppap_core.wire import Target


@attrs.frozen(kw_only=True)
class EchoSettings:
    """Models that echo."""

    words: str = setting("What they say.", default="Echo!")


class Echo:
    name = "echo"
    classify = staticmethod(by_status)

    async def generate(
        self, conversation: Conversation, credential: Credential, target: Target
    ) -> AsyncIterator[Event]:
        yield Start(model=target.model)
        yield ItemStart(0, "text")
        yield Delta(0, "text", credential.settings.words)
        yield ItemEnd(0)
        yield Finish("stop")
        yield End()


@hookimpl
def ppap_config_sections():
    return {"echo": EchoSettings}


@hookimpl
def ppap_credentials(config):
    return [Credential(id="echo", provider="echo", label="echo", settings=config["echo"])]


@hookimpl
def ppap_models(credential):
    return [Model(id="echo-1", upstream=["echo-1"])] if credential.provider == "echo" else None


@hookimpl
def ppap_providers():
    return [Echo()]
