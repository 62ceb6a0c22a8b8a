import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.config.toml_lines import key_lines, nearest_line

TEXT = '''# targets
[targets.one]
url = "https://one.example.com/"

  # its limits
limits.latency_ms = 800
list = [
  1,
  { deep = "x" },
]
text = """
fake = 1
[targets.fake]
"""

[[targets.two.servers]]
urls = []
[[targets.two.servers]]
urls = []
"quoted key" = 1
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("targets",), 2),
        (("targets", "one", "url"), 3),
        (("targets", "one", "limits", "latency_ms"), 6),
        (("targets", "one", "list"), 7),
        (("targets", "one", "list", 1, "deep"), 7),
        (("targets", "one", "text"), 11),
        (("targets", "two", "servers", 0), 16),
        (("targets", "two", "servers", 1, "urls"), 19),
        (("targets", "two", "servers", 1, "quoted key"), 20),
    ],
)
def test_a_key_is_found_on_the_line_where_its_statement_begins(
    path: tuple[str | int, ...], line: int
) -> None:
    assert key_lines(TEXT)[path] == line


def test_what_stands_inside_a_string_is_no_key() -> None:
    assert ("targets", "fake") not in key_lines(TEXT)


def test_what_is_missing_is_looked_for_in_the_table_around_it() -> None:
    lines = key_lines(TEXT)
    assert nearest_line(lines, ("targets", "one", "nothing")) == 2
    assert nearest_line(lines, ("targets", "two", "servers", 1, "username")) == 18
    assert nearest_line(lines, ("elsewhere",)) is None


VALUES = st.sampled_from(["1", '"x"', "'''\na = 1\n'''", '"""\n[b]\n"""', "[\n1,\n# a = 2\n]", "{ in = 3 }"])


@given(st.lists(st.tuples(st.integers(0, 2), VALUES), max_size=8), st.sampled_from(["\n", "\r\n"]))
def test_every_key_of_any_file_is_found_where_it_was_written(
    statements: list[tuple[int, str]], newline: str
) -> None:
    text, written = "", {}
    for number, (blank, value) in enumerate(statements):
        text += "\n" * blank
        written[f"key{number}",] = text.count("\n") + 1
        text += f"key{number} = {value}\n"
    text = text.replace("\n", newline)
    assert set(tomllib.loads(text)) == {name for (name,) in written}
    found = key_lines(text)
    assert {path: found[path] for path in written} == written
