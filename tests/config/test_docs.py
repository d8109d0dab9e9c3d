"""docs/configuration.md."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from ppap_core.config import CoreConfig, TopLevel, docs, setting
from ppap_core.config.declaration import declared_fields

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"


@attrs.frozen(kw_only=True)
class Model:
    """A model, as ``models`` lists it.

    More about it.
    """

    name: str


@attrs.frozen(kw_only=True)
class Parrot:
    """A parrot."""

    api_key: str = setting("One | two.", secret=True)
    models: tuple[Model, ...] = setting("Models.", factory=tuple, aliases=["model"])
    headers: Mapping[str, str] = setting("Headers.", factory=lambda: {"a": "b"}, reload="restart")
    cages: dict[str, Model] = setting("Cages.", factory=dict)
    height: float | None = setting("Height.", default=None)
    wide: float = setting("Width.", default=2.5)
    tags: list[str] = setting("Tags.", factory=lambda: ["x"])


@attrs.frozen(kw_only=True)
class Single:
    """A setting without a block."""

    squawk: str = setting("How.", default="loud")


def test_every_declaration_is_on_the_page() -> None:
    """Type, default, when it applies, meaning; blocks under headings of their own."""
    page = docs.render({"parrots": list[Parrot]})
    section = page[page.index("### `parrots[]`") :]
    for line in (
        "A parrot.",
        "| `api-key` | text | required | live | One \\| two. Secret. |",
        "| `models` | list of block | `[]` |  | Models. Older spelling: `model`. |",
        "| `headers` | map of text | `{a: b}` | restart | Headers. |",
        "| `height` | number | none | live | Height. |",
        "| `wide` | number | `2.5` | live | Width. |",
        "| `tags` | list of text | `[x]` | live | Tags. |",
        "### `parrots[].models[]`",
        "A model, as `models` lists it.",
        "| `name` | text | required | live |  |",
        "| `cages` | map of block | `{}` |  | Cages. Like `parrots[].models[]`. |",
    ):
        assert line in section.splitlines()


def test_single_keys_of_plugins_stand_in_a_table_of_their_own() -> None:
    page = docs.render({"z": TopLevel(Single), "parrots": list[Parrot]})
    section = page[page.index("## Keys of plugins") : page.index("### `parrots[]`")]
    assert "| `squawk` | text | `loud` | live | How. |" in section.splitlines()


def test_every_core_setting_is_on_the_page() -> None:
    """Also those inside blocks."""
    page = docs.render({})

    def check(cls: type) -> None:
        for field in declared_fields(cls):
            assert f"| `{field.key}` | " in page
            assert field.setting.doc in page
            if isinstance(field.type, type) and attrs.has(field.type):
                check(field.type)

    check(CoreConfig)
    assert "### `tls`" in page


def test_the_page_does_not_depend_on_the_order_of_plugins() -> None:
    """Nor on anything else but the declarations."""
    sections: dict[str, Any] = {"a": list[Parrot], "b": list[Parrot]}
    assert docs.render(sections) == docs.render(dict(reversed(sections.items())))


def test_a_stale_page_is_noticed(tmp_path: Path) -> None:
    """The check fails until the page is written anew."""
    page = tmp_path / "configuration.md"
    assert docs.main(["--check", str(page)]) == 1
    assert docs.main([str(page)]) == 0
    assert docs.main(["--check", str(page)]) == 0
    page.write_text(page.read_text() + "x")
    assert docs.main(["--check", str(page)]) == 1


def test_the_page_in_the_repository_is_current() -> None:
    """It says what the installed plugins declare; `python -m ppap_core.config.docs` writes it."""
    assert docs.main(["--check", str(PAGE)]) == 0
