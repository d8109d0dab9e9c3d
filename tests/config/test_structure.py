"""Trees become declared settings, or complete lists of what is wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import attrs
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from ppap_core.config import (
    Config,
    ConfigError,
    ConfigProblem,
    CoreConfig,
    InvalidSetting,
    LeftOut,
    TopLevel,
    normalise,
    parse,
    setting,
)
from ppap_core.config.declaration import declared_fields

SECRET = "hunter2-hunter2"
BLOCK_ADVICE = 'write each as "key: value" on its own, indented line'


def only_sk(instance: object, attribute: object, value: str) -> None:
    if value and not value.startswith("sk-"):
        raise InvalidSetting("keys start with sk-")


@attrs.frozen(kw_only=True)
class Model:
    """A plain attrs class, without settings."""

    name: str
    alias: str = ""


@attrs.frozen(kw_only=True)
class Cage:
    """Where a parrot lives."""

    height_cm: int = setting("Height.", default=50)


@attrs.frozen(kw_only=True)
class Parrot:
    """One parrot, with a field of every kind."""

    text: str = setting("A text.", default="")
    flag: bool = setting("A flag.", default=False)
    count: int = setting("A count.", default=0, validator=attrs.validators.lt(100))
    seconds: float = setting("A length of time.", default=0.0)
    mode: Literal["sing", "speak"] = setting("A mode.", default="sing")
    names: tuple[str, ...] = setting("Names.", factory=tuple)
    counts: list[int] = setting("Counts.", factory=list)
    headers: Mapping[str, str] = setting("Headers.", factory=dict, normalise=normalise.headers)
    models: Sequence[Model] = setting("Models.", factory=tuple)
    perhaps: int | None = setting("A count, or none.", default=None)
    free: Any = setting("Anything.", default=None)
    cage: Cage = setting("Its cage.", factory=Cage)
    password: str = setting("A password.", default="", secret=True, validator=attrs.validators.max_len(20))
    pins: tuple[int, ...] = setting("Numbers.", factory=tuple, secret=True)
    key: str = setting("A key.", default="", secret=True, validator=only_sk)
    new_name: str = setting("Renamed.", default="", aliases=("old-name",))

    def __attrs_post_init__(self) -> None:
        if self.count == 13:
            raise ValueError("13 brings bad luck")


@attrs.frozen(kw_only=True)
class Keeper:
    """With a key that must be there."""

    api_key: str = setting("What the keeper is known by.", secret=True)


def read(text: str) -> Config:
    return parse(text.encode(), Path("config.yaml"), {"parrot": Parrot, "keepers": list[Keeper]})


def parrot(text: str) -> Any:
    return read(f"parrot:\n  {text}\n")["parrot"]


def problems(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read(text)
    return [str(problem).removeprefix("config.yaml:") for problem in caught.value.problems]


def problem(text: str) -> str:
    (only,) = problems(f"parrot:\n  {text}\n")
    return only


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("text: 0123", {"text": "0123"}),
        ("text: on", {"text": "on"}),
        ("text: 1e5", {"text": "1e5"}),
        ("names: [123, on, 1e5, ~, '']", {"names": ("123", "on", "1e5", "")}),
        ("headers: {a: 0123, ' b ': on, c: ' ', d: ~}", {"headers": {"a": "0123", "b": "on"}}),
        ("flag: true", {"flag": True}),
        ("flag: Yes", {"flag": True}),
        ("flag: ON", {"flag": True}),
        ("flag: y", {"flag": True}),
        ("flag: n", {"flag": False}),
        ("flag: off", {"flag": False}),
        ("flag: no", {"flag": False}),
        ("flag:", {"flag": False}),
        ("count: -7", {"count": -7}),
        ("count: 0x10", {"count": 16}),
        ("count: 0", {"count": 0}),
        ("counts: [1_000, 0b11, 0o17]", {"counts": [1000, 3, 15]}),
        ("seconds: 1", {"seconds": 1.0}),
        ("seconds: 2.5", {"seconds": 2.5}),
        ("seconds: 1e-3", {"seconds": 0.001}),
        ("seconds: 007.5", {"seconds": 7.5}),
        ("mode: speak", {"mode": "speak"}),
        ("mode: 'speak'", {"mode": "speak"}),
        ("perhaps: 3", {"perhaps": 3}),
        ("perhaps: ~", {"perhaps": None}),
        (
            "models: [{name: 1, alias: on}, {name: b}]",
            {"models": (Model(name="1", alias="on"), Model(name="b"))},
        ),
        ("cage: {height-cm: 70}", {"cage": Cage(height_cm=70)}),
        ("cage:", {"cage": Cage()}),
        (
            "free: {a: [yes, true, 1, 0x1f, 1.5, '1', ~, 010, 1_0], b: {c: off}}",
            {"free": {"a": ["yes", True, 1, 31, 1.5, "1", None, 10, "1_0"], "b": {"c": "off"}}},
        ),
        ("old-name: x", {"new_name": "x"}),
        ("{old-name: x, new-name: y}", {"new_name": "y"}),
    ],
)
def test_values_are_read_as_their_target_needs_them(written: str, expected: dict[str, Any]) -> None:
    """The type of the field decides, never the look of the value (config spec, 1)."""
    assert parrot(written) == Parrot(**expected)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("flag: 1", '2:9: parrot.flag: expected true or false, found "1"'),
        ("flag: maybe", '2:9: parrot.flag: expected true or false, found "maybe"'),
        (
            'flag: "true"',
            '2:9: parrot.flag: expected true or false, found the quoted text "true"; remove the quotes',
        ),
        ("count: x", '2:10: parrot.count: expected a whole number, found "x"'),
        ("count: 1.5", '2:10: parrot.count: expected a whole number, found "1.5"'),
        ("count: 0123", '2:10: parrot.count: expected a whole number, found "0123"'),
        ("count: 0x", '2:10: parrot.count: expected a whole number, found "0x"'),
        ("count: 1__0", '2:10: parrot.count: expected a whole number, found "1__0"'),
        (
            "count: 9223372036854775808",
            '2:10: parrot.count: expected a whole number of at most 64 bits, found "9223372036854775808"',
        ),
        (
            "count: '5'",
            '2:10: parrot.count: expected a whole number, found the quoted text "5"; remove the quotes',
        ),
        ("count: 100", "2:10: parrot.count: 'count' must be < 100: 100"),
        ("count: 13", "2:3: parrot: 13 brings bad luck"),
        ("seconds: .inf", '2:12: parrot.seconds: expected a number, found ".inf"'),
        ("seconds: .nan", '2:12: parrot.seconds: expected a number, found ".nan"'),
        (
            "seconds: 1e999",
            '2:12: parrot.seconds: expected a number of a size that can be stored, found "1e999"',
        ),
        (
            "seconds: '1'",
            '2:12: parrot.seconds: expected a number, found the quoted text "1"; remove the quotes',
        ),
        ("seconds: 10s", '2:12: parrot.seconds: expected a number, found "10s"'),
        ("mode: Speak", '2:9: parrot.mode: expected one of sing, speak, found "Speak"'),
        ("text: {a: b}", "2:9: parrot.text: expected text, found a block of keys"),
        ("text: [a]", "2:9: parrot.text: expected text, found a list"),
        (
            "names: a",
            '2:10: parrot.names: expected a list, found "a"; write each entry on its own line, after "- "',
        ),
        ("names: [a, [b]]", "2:14: parrot.names[1]: expected text, found a list"),
        (
            "cage: [a]",
            f"2:9: parrot.cage: expected a block of keys, found a list; {BLOCK_ADVICE}",
        ),
        (
            "headers: x",
            f'2:12: parrot.headers: expected a block of keys, found "x"; {BLOCK_ADVICE}',
        ),
        ("headers: {a: [b]}", "2:16: parrot.headers.a: expected text, found a list"),
        ("models: [{alias: x}]", '2:12: parrot.models[0]: the key "name" is missing'),
        (
            "models: [{nmae: x}]",
            '2:12: parrot.models[0]: the key "name" is missing; is it meant by "nmae" at line 2?',
        ),
    ],
)
def test_a_mistake_says_where_what_was_expected_and_what_was_found(written: str, expected: str) -> None:
    """File, line, column, key path, and what to do where that is known."""
    assert problem(written) == expected


def test_long_values_are_cut_in_messages() -> None:
    """And kept on one line."""
    assert problem(f'flag: "{"x" * 99}\\ny"').endswith(f'found the quoted text "{"x" * 60}…"')


def test_all_mistakes_are_told_at_once() -> None:
    """In the order of the file, core and sections together; the error points at the first."""
    found = problems("parrot: {flag: 1, count: x}\nport: http\nkeepers: [{}, {api-key: [a]}]\n")
    assert [text.split(" expected")[0] for text in found] == [
        "1:16: parrot.flag:",
        "1:26: parrot.count:",
        "2:7: port:",
        '3:11: keepers[0]: the key "api-key" is missing: What the keeper is known by.',
        "3:25: keepers[1].api-key:",
    ]
    with pytest.raises(
        ConfigError, match=r"failed to parse config file: config\.yaml:1:16: parrot"
    ) as caught:
        read("parrot: {flag: 1}")
    assert (caught.value.path, caught.value.line, caught.value.column) == ("config.yaml", 1, 16)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (f"password: [{SECRET}]", "2:13: parrot.password: expected text, found a list"),
        (f"password: {SECRET}-is-too-long", "2:13: parrot.password: the value is not accepted"),
        (
            f"pins: [1, {SECRET}]",
            "2:13: parrot.pins[1]: expected a whole number, found a value that is kept secret",
        ),
        (f"key: {SECRET}", "2:8: parrot.key: keys start with sk-"),
    ],
)
def test_mistakes_in_secrets_do_not_show_them(written: str, expected: str) -> None:
    """Neither our messages nor those of a foreign validator; InvalidSetting vouches for its own."""
    assert problem(written) == expected


def test_secrets_stay_out_of_reprs() -> None:
    """Of the section and of the whole config, client keys and proxy passwords included."""
    config = read(f"parrot: {{password: {SECRET}}}\napi-keys: [{SECRET}]\nproxy-url: http://u:{SECRET}@h:1\n")
    assert config["parrot"].password == SECRET
    assert SECRET not in repr(config)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("api-kyes: [a]", '1:1: unknown key "api-kyes" (did you mean "api-keys"?)'),
        ("api_keys: [a]", '1:1: unknown key "api_keys" (did you mean "api-keys"?)'),
        ("prot: 1", '1:1: unknown key "prot" (did you mean "port"?)'),
        ("tls: {\n  certt: x}", '2:3: unknown key "certt" in tls (did you mean "cert"?)'),
        ("parrot: {txt: x}", '1:10: unknown key "txt" in parrot (did you mean "text"?)'),
        (
            "parrot: {models: [{name: a, alais: b}]}",
            '1:29: unknown key "alais" in parrot.models[0] (did you mean',
        ),
        ("parots: {}", '1:1: unknown key "parots" (did you mean "parrot"?)'),
        ("parrot: {old-name: x}", '1:10: parrot.old-name is an old spelling; write "new-name" instead'),
        (
            "parrot: {new-name: y, old-name: x}",
            '1:23: parrot.old-name is an old spelling; "new-name" is there too',
        ),
    ],
)
def test_misspelt_and_old_keys_are_warned_about(written: str, expected: str) -> None:
    """With place and suggestion, at any depth, and the file is used nevertheless."""
    config = read(written)
    (warning,) = config.warnings
    assert warning.startswith(f"config.yaml:{expected}")
    assert config.notes == ()


def test_other_unknown_keys_are_one_calm_note() -> None:
    """They belong to plugins that are not installed, or to another program."""
    config = read("ampcode: {x: 1}\nparrot: {perch: {a: 1}}\nremote-management: {panel: x}\nx-notes: hello\n")
    assert config.warnings == ()
    (note,) = config.notes
    keys = "ampcode, x-notes, parrot.perch, remote-management.panel"
    assert note == f"config.yaml: kept, but nothing installed uses them: {keys}"


def test_absent_sections_have_their_defaults() -> None:
    """A class its defaults, a list no entries; null is absent too."""
    for text in ("port: 1", "parrot:\nkeepers:\n", "keepers: [~]\n"):
        config = read(text)
        assert (config["parrot"], config["keepers"]) == (Parrot(), [])


LETTERS = st.characters(exclude_characters="\x85\u2028\u2029", exclude_categories=["Cs"])
"""Without the line breaks of YAML 1.1 that 1.2 takes for letters: the writer here does not keep them."""


@settings(max_examples=150, deadline=None)
@given(st.text(LETTERS, min_size=1, max_size=30), st.sampled_from([None, "'", '"']))
def test_text_fields_keep_any_text(text: str, style: str | None) -> None:
    """Whatever a YAML writer makes of a text, a text field reads it back."""
    written = yaml.safe_dump(
        {"parrot": {"text": text, "names": [text]}}, default_style=style, allow_unicode=True
    )
    section = read(written)["parrot"]
    assert section.text == text
    assert section.names == (text,)


PLAIN = st.from_regex(r"[A-Za-z0-9+._-]{1,12}", fullmatch=True).filter(
    lambda text: not text.startswith(("-", "...", "---")) and text.lower() != "null"
)


@settings(max_examples=150, deadline=None)
@given(PLAIN)
def test_plain_scalars_reach_text_fields_unchanged(written: str) -> None:
    """Numbers, truth words and dates included: the source text, not what YAML takes it for."""
    section = parrot(f"text: {written}")
    assert section.text == written


KEYS = st.sampled_from(
    ["keepers", "api-key", "enable", "disabled"]
    + [field.key for cls in (CoreConfig, Parrot, Model) for field in declared_fields(cls)]
)
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8))
TREES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(KEYS, TREES, max_size=6))
def test_any_tree_is_read_or_refused_with_a_config_error(written: dict[str, Any]) -> None:
    """Values of every shape under every key: no other exception, and each problem has its place."""
    found: Sequence[ConfigProblem] = ()
    try:
        read(yaml.safe_dump(written, allow_unicode=True))
    except ConfigError as error:
        found = error.problems
    assert all(one.line >= 1 and one.column >= 1 for one in found)


@attrs.frozen(kw_only=True)
class Squawk:
    """Single settings."""

    squawk_mode: str = setting("How.", default="loud", normalise=normalise.trimmed)
    squawks: int = setting("How often.", default=1)


def test_fields_of_a_top_level_section_are_keys_themselves() -> None:
    sections = {"squawking": TopLevel(Squawk)}
    config = parse(b"squawk-mode: soft \nport: 1\n", Path("c"), sections)
    assert config["squawking"] == Squawk(squawk_mode="soft")
    assert parse(b"", Path("c"), sections)["squawking"] == Squawk()
    with pytest.raises(ConfigError, match=r"c:1:10: squawks: expected a whole number"):
        parse(b"squawks: often", Path("c"), sections)


@attrs.frozen(kw_only=True)
class Perch:
    """One of several."""

    height: int = setting("Height.", default=1)
    wood: str = setting("Wood.", default="oak", normalise=lambda wood: _sound(wood))


def _sound(wood: str) -> str:
    if wood == "rotten":
        raise LeftOut("nobody can sit there")
    return wood


def test_an_item_that_is_left_out_takes_nothing_with_it() -> None:
    """A warning with its place; other mistakes are still mistakes."""
    data = b"perches:\n  - wood: rotten\n    height: 2\n  - height: 3\n"
    config = parse(data, Path("c"), {"perches": list[Perch]})
    assert config["perches"] == [Perch(height=3)]
    assert config.warnings == ("c:2:11: perches[0].wood: nobody can sit there; this entry is left out",)
    with pytest.raises(ConfigError, match=r"perches\[1\].height"):
        parse(data.replace(b"3", b"high"), Path("c"), {"perches": list[Perch]})
