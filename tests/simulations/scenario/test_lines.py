"""Where a key of a TOML text stands, as the sentences about mistakes need it."""

import tomllib
from typing import Any, Final

import pytest
from hypothesis import given, strategies as st

from gossamer.simulations.scenario._lines import DEPTH_LIMIT, Path, find_lines, find_nesting

TEXT: Final = r'''# a comment with = and [brackets]
name = "one"        # 2
"quoted key" = 1
'literal # key'   .   "b\u00e9" = '=[{'

[table]
list = [            # 7
    1, [2,
    3],  # ]
    "a ] b",        # 10
]
inline = { a = 1, b.c = [ { d = """
]""" } ] }
[[event]]
at = """\"""
[no.header]
"""                 # 17
[[event]]
[event.sub]
x = 1979-05-27 07:32:00
[[event.sub.deep]]
y = 1
[[event.sub.deep]]
y = QQQQtwo
# not a commentQQQ
z.w = {}
'''.replace("Q", "'")


def test_every_kind_of_key_is_found_on_its_line() -> None:
    """Strings, comments, nested lists, inline tables and arrays of tables do not mislead."""
    lines = find_lines(TEXT)

    assert lines[("name",)] == 2
    assert lines[("quoted key",)] == 3
    assert lines[("literal # key",)] == lines[("literal # key", "bé")] == 4
    assert lines[("table",)] == 6
    assert [lines[("table", "list", *item)] for item in ((), (0,), (1,), (1, 1), (2,))] == [
        7, 8, 8, 9, 10,
    ]  # fmt: skip
    assert lines[("table", "inline", "b", "c", 0, "d")] == 12
    assert [lines[("event", place)] for place in (0, 1)] == [14, 18]
    assert lines[("event", 0, "at")] == 15
    assert lines[("event", 1, "sub", "x")] == 20
    assert lines[("event", 1, "sub", "deep", 1, "y")] == 24
    assert lines[("event", 1, "sub", "deep", 1, "z", "w")] == 26


# Every path of a document, through its tables and lists.
def _paths(value: Any, path: Path = ()) -> set[Path]:
    found = {path} if path else set()
    if isinstance(value, dict):
        for key, below in value.items():
            found |= _paths(below, (*path, key))
    elif isinstance(value, list):
        for place, below in enumerate(value):
            found |= _paths(below, (*path, place))
    return found


_blank = st.sampled_from(["", " ", "\t", "  "])
_gap = st.sampled_from(["", " ", "\n", "\n  # ] } \" ' = comment\n", "\r\n\n"])
_string = st.one_of(
    st.text("ab]}[{=#,. '", max_size=6).map(lambda text: f'"{text}"'),
    st.text('ab]}[{=#,. "\\', max_size=6).map(lambda text: f"'{text}'"),
    st.text("ab]}[{=#,.\n'", max_size=6).map(lambda text: f'"""{text}\\""""'),
    st.text('ab]}[{=#,.\n\\"', max_size=6).map(lambda text: f"'''{text}'''"),
)
_plain = st.sampled_from(["1", "-2.5e3", "true", "1979-05-27T07:32:00Z", "nan"])
_scalar = st.one_of(_plain, _string)


@st.composite
def _values(draw: st.DrawFn, depth: int = 2) -> str:
    kind = draw(st.sampled_from(["scalar", "list", "table"])) if depth else "scalar"
    if kind == "scalar":
        return draw(_scalar)
    count = draw(st.integers(0, 3))
    inner = [draw(_values(depth - 1)) for _ in range(count)]
    if kind == "list":
        ends = [draw(_gap) for _ in inner]
        comma = draw(st.sampled_from(["", ","])) if inner else ""
        items = [f"{value}{end}" for value, end in zip(inner, ends, strict=True)]
        return f"[{draw(_gap)}{','.join(items)}{comma}{draw(_gap)}]"
    pairs = [f"{draw(_blank)}k{place}{draw(_blank)}= {value}" for place, value in enumerate(inner)]
    return f"{{{','.join(pairs)} }}"


@st.composite
def _documents(draw: st.DrawFn) -> str:
    parts = []
    for number in range(draw(st.integers(1, 5))):
        header = draw(st.sampled_from(["", f"[t{number}]", "[[e]]", f"[t{number}.'x y'. z]"]))
        if number == 0 or header:
            parts.append(header)
        for key in range(draw(st.integers(0, 3))):
            form = draw(st.sampled_from(["k{}{}", "'q {}{}'", "d{}{}.x", 'd{}{} . "y"']))
            name = form.format(number, key)
            parts.append(f"{name}{draw(_blank)}={draw(_blank)}{draw(_values())}{draw(_blank)}")
        parts.append(draw(st.sampled_from(["", "# comment"])))
    return "\n".join(parts)


@given(_documents())
def test_the_walk_finds_what_tomllib_reads(text: str) -> None:
    """For any correct text, the walk has a line for each path that tomllib has a value for."""
    document = tomllib.loads(text)

    lines = find_lines(text)

    assert set(lines) == _paths(document)
    assert all(1 <= line <= text.count("\n") + 1 for line in lines.values())


@given(st.text("[]{}\"'#\\\n.a= ", max_size=60))
def test_any_text_can_be_asked_for_its_depth(text: str) -> None:
    """Depth is asked of texts that are no TOML too, and never fails."""
    line = find_nesting(text)

    assert line is None or 1 <= line <= text.count("\n") + 1


@pytest.mark.parametrize(
    ("text", "deep"),
    [
        ("x = " + "[" * DEPTH_LIMIT + "]" * DEPTH_LIMIT, False),
        ("x = " + "[" * (DEPTH_LIMIT + 1) + "]" * (DEPTH_LIMIT + 1), True),
        ("x = [[]]\n" * 100, False),
        ("x = '" + "[" * 100 + "'  # " + "[" * 100, False),
        (".".join("a" * DEPTH_LIMIT) + " = 1", False),
        (".".join("a" * (DEPTH_LIMIT + 1)) + " = 1", True),
        ("x = '" + ".".join("a" * 100) + "'", False),
        (" . ".join(["'a b'", '"c"'] * DEPTH_LIMIT) + " = 1", True),
    ],
)
def test_the_depth_has_a_limit(text: str, deep: bool) -> None:
    """Brackets and dotted keys may go as deep as the limit, and strings say nothing about it."""
    assert (find_nesting(text) is not None) is deep
