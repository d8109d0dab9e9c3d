"""The two things that clients ask for: a picture, and a picture made of others."""

from __future__ import annotations

from typing import Final

import attrs

from ..image_tool import IMAGE_FORMATS


@attrs.frozen(kw_only=True)
class Action:
    """``path`` is below an upstream's base URL, ``verb`` what the tool calls it, ``event`` how the
    events of its streams begin."""

    format: str
    path: str
    verb: str
    event: str

    @property
    def edits(self) -> bool:
        return self.verb == "edit"


GENERATION: Final = Action(
    format=IMAGE_FORMATS[0], path="/images/generations", verb="generate", event="image_generation"
)
EDIT: Final = Action(format=IMAGE_FORMATS[1], path="/images/edits", verb="edit", event="image_edit")
