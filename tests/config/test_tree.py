"""YAML text becomes a tree of source texts with places."""

from __future__ import annotations

import codecs
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ppap_core.config.scalars import free_value
from ppap_core.config.tree import MAX_DEPTH, MAX_NODES, Entries, Items, Node, Scalar, parse_tree
from ppap_core.errors import ConfigError, ConfigProblem


def tree(text: str | bytes) -> Node | None:
    return parse_tree(text.encode() if isinstance(text, str) else text, "config.yaml")


def block(text: str | bytes) -> Entries:
    node = tree(text)
    assert isinstance(node, Entries)
    return node


def problems(text: str | bytes) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        tree(text)
    return [str(problem) for problem in caught.value.problems]


def test_every_node_knows_where_it_stands() -> None:
    """Lines and columns count from 1, and columns count characters, not bytes."""
    root = block('# ä\nöl: "x"\nlist:\n  - ä: {b: c}\n')
    key, value = root.by_key["öl"], root.by_key["öl"].value
    assert (key.line, key.column) == (2, 1)
    assert isinstance(value, Scalar)
    assert (value.line, value.column) == (2, 5)
    items = root.by_key["list"].value
    assert isinstance(items, Items)
    inner = items.nodes[0]
    assert isinstance(inner, Entries)
    flow = inner.by_key["ä"].value
    assert isinstance(flow, Entries)
    assert (flow.by_key["b"].line, flow.by_key["b"].column) == (4, 9)


@pytest.mark.parametrize(
    "written", ["0123", "on", "1e5", "0x1F", "1_000", "12:30:45", "2026-01-01", "=", "-x"]
)
def test_plain_scalars_keep_their_source_text(written: str) -> None:
    """Nothing is re-typed, whatever YAML takes the text for."""
    value = block(f"key: {written}\n").by_key["key"].value
    assert isinstance(value, Scalar)
    assert (value.text, value.plain) == (written, True)


@pytest.mark.parametrize(
    "written",
    ["'1'", '"1"', "|-\n  1", ">-\n  1", "!!str 1"],
    ids=["single", "double", "literal", "folded", "tag"],
)
def test_quoted_scalars_are_marked(written: str) -> None:
    """Quotes, block scalars and the text tag all say: this is text."""
    value = block(f"key: {written}\n").by_key["key"].value
    assert isinstance(value, Scalar)
    assert (value.text, value.plain) == ("1", False)


@pytest.mark.parametrize("written", ["", "~", "null", "Null", "NULL", "# only a comment"])
def test_null_is_absent(written: str) -> None:
    """A key without a value has none; the quoted word is text."""
    assert block(f"key: {written}\n").by_key["key"].value is None
    assert isinstance(block('key: "null"\n').by_key["key"].value, Scalar)


def test_a_literal_block_is_kept_byte_for_byte() -> None:
    """Blank lines, indents and # inside stay; CRLF becomes LF (config spec, 10)."""
    value = block("prompt: |\r\n  # not a comment\r\n\r\n    indented\r\nport: 1\r\n").by_key["prompt"].value
    assert isinstance(value, Scalar)
    assert value.text == "# not a comment\n\n  indented\n"


def test_duplicate_keys_are_mistakes_with_both_places() -> None:
    """The later of two equal keys does not win silently, and all duplicates are told."""
    assert problems("port: 1\nhost: a\nport: 2\ntls: {key: a, key: b}\n") == [
        'config.yaml:3:1: duplicate key "port": it is at line 1, column 1 already',
        'config.yaml:4:15: duplicate key "key": it is at line 4, column 7 already',
    ]


def test_aliases_and_merge_keys_work() -> None:
    """Own keys win over merged ones, and the first of several merged blocks over the next."""
    root = block(
        "a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc: {<<: [*a, *b], z: 3}\nd: {<<: *b}\ne: [*a, *a]\n"
        "&k key: v\nf: *k\n"
    )
    assert free_value(root.by_key["c"].value) == {"x": 1, "y": 1, "z": 3}
    assert free_value(root.by_key["d"].value) == {"y": 2, "z": 2}
    assert free_value(root.by_key["e"].value) == [{"x": 1, "y": 1}] * 2
    assert free_value(root.by_key["f"].value) == "key"


def test_a_merged_value_keeps_its_own_place() -> None:
    """A mistake in it is at the anchor, where the text to mend is."""
    root = block("a: &a\n  x: 1\nb:\n  <<: *a\n")
    merged = root.by_key["b"].value
    assert isinstance(merged, Entries)
    assert merged.by_key["x"].line == 2


def test_aliases_cannot_blow_up_the_tree() -> None:
    """Ten lists of ten aliases each would be ten thousand million values."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    (problem,) = problems("\n".join(lines))
    assert f"more than {MAX_NODES} values" in problem


def test_nesting_has_a_limit() -> None:
    """In brackets and through aliases; far fewer levels than would exhaust the stack."""
    assert f"deeper than {MAX_DEPTH}" in problems("a: " + "[" * 10_000)[0]
    half = "[" * (MAX_DEPTH // 2)
    closed = half + "]" * (MAX_DEPTH // 2)
    assert "through this alias" in problems(f"a: &a {closed}\nb: {half}*a{']' * (MAX_DEPTH // 2)}\n")[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "a: b: c",
            '1:5: not valid YAML: a value that contains ": " must be quoted; or check the indentation',
        ),
        (
            "a:\n\t- b",
            "2:1: not valid YAML: a value that starts with @, % or ` must be quoted; indent without tabs",
        ),
        (
            "a: @x",
            "1:4: not valid YAML: a value that starts with @, % or ` must be quoted; indent without tabs",
        ),
        ("a: 'x", "1:6: not valid YAML: a quote is opened and never closed"),
        ('a: "\\q"', "1:5: not valid YAML: in double quotes a backslash starts an escape"),
        (
            "a: 1\nb\nc: 1",
            "3:1: not valid YAML in what starts at line 2: a key needs a colon and a blank after it",
        ),
        ("a: [1,\n\nb", "4:1: not valid YAML in what starts at line 1: check the indentation"),
        ("a: |\n x\n y: \n\tz", "4:1: not valid YAML in what starts at line 1: indent with spaces"),
        ("a: !h!x y", '1:4: not valid YAML: a value that starts with "!" must be quoted'),
        ("a: !secret", '1:4: YAML tags are not used here; a value that starts with "!" must be quoted'),
        ("a: *secret", '1:4: an alias without anchor; a value that starts with "*" must be quoted'),
        ("a: 1\n--- \nb: 1", "2:1: a second YAML document starts here"),
        ("? [a]\n: b", "1:3: a key must be text"),
        ("a: {<<: 1}", '1:5: "<<" takes an alias of a block'),
        ("a: \x07", "1:4: control character U+0007; remove it"),
        ("[]]", "1:3: not valid YAML: check the indentation"),
    ],
)
def test_a_mistake_has_its_place_and_advice(text: str, expected: str) -> None:
    """Line, column, and what to do about it, in words that quote nothing from the file."""
    (problem,) = problems(text)
    assert problem.startswith(f"config.yaml:{expected}")
    assert "secret" not in problem


def test_text_encodings() -> None:
    """A byte order mark does not matter, UTF-16 is read too, other bytes are placed."""
    for data in (b"\xef\xbb\xbfport: 1", codecs.BOM_UTF16_LE + "port: 1".encode("utf-16-le"), b"port: 1\r\n"):
        value = block(data).by_key["port"].value
        assert isinstance(value, Scalar)
        assert (value.text, value.line, value.column) == ("1", 1, 7)
    assert problems(b"host: a\nname: \xc3\xa4\xe9 b\n") == [
        "config.yaml:2:8: not UTF-8 text; save the file as UTF-8"
    ]


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing\n", "---\n", "---\n...\n", "~", "\ufeff"])
def test_a_file_without_content_is_no_tree(text: str) -> None:
    """Empty, blank, or comments only."""
    assert tree(text) is None


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=200), st.text("abc:-[]{}&*!|>'\"#%@`,?<~ \t\n01.\\", max_size=60).map(str.encode)
    )
)
def test_any_bytes_give_a_tree_or_a_config_error(data: bytes) -> None:
    """Nothing else is ever raised, and every problem of a readable file has its place."""
    found: Sequence[ConfigProblem] = ()
    try:
        tree(data)
    except ConfigError as error:
        found = error.problems
    assert all(one.line >= 1 and one.column >= 1 for one in found)
