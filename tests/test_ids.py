import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcls.errors import InputError
from bcls.ids import MAX_ID_BYTES, control_character, id_fault, name_fault, require_id, require_name, text_fault


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "empty"),
        (".", "relative path"),
        ("..", "relative path"),
        ("victim\n", "U+000A"),
        ("a\rb", "U+000D"),
        ("a\tb", "U+0009"),
        ("a\0b", "U+0000"),
        ("a\x7f", "U+007F"),
        ("a\x85b", "U+0085"),
        ("a\u2028b", "U+2028"),
        ("a\u2029b", "U+2029"),
        ("half \ud83d", "U+D83D"),
        ("x" * 513, "513 bytes"),
        ("é" * 257, "514 bytes"),
        (7, "not a string"),
        (None, "not a string"),
        (b"bytes", "not a string"),
    ],
)
def test_what_is_no_id_is_refused_with_the_reason(name, why):
    assert why in (id_fault(name) or "")
    with pytest.raises(InputError, match=r"list\[3\]: the id .*use another id"):
        require_id(name, "list[3]")


@pytest.mark.parametrize(
    "name", ["0", "a b", "a/b#0", "train+val", "a,b", "x" * 512, "...", ".hidden", "日本.jpg", "👨\u200d👩", " a "]
)
def test_every_other_string_is_an_id(name):
    assert id_fault(name) is None
    assert require_id(name, "") == name


@given(st.text(st.characters(), max_size=300))
def test_the_rule_by_its_definition(name):
    categories = {unicodedata.category(character) for character in name}
    expected = (
        name != ""
        and name not in {".", ".."}
        and not categories & {"Cc", "Zl", "Zp", "Cs"}
        and len(name.encode("utf-8", "surrogatepass")) <= MAX_ID_BYTES
    )
    assert (id_fault(name) is None) == expected


@given(st.text(st.characters(), max_size=40))
def test_text_is_what_utf8_and_c_strings_can_hold(text):
    try:
        holds = b"\0" not in text.encode("utf-8")
    except UnicodeEncodeError:
        holds = False
    assert (text_fault(text) is None) == holds


def test_allowed_control_characters_do_not_count():
    assert control_character("a\tb\nc", allowed="\t\n") is None
    assert control_character("a\tb\nc", allowed="\t") == "U+000A"


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b", "a\\b", ".hidden", "a\n", "x" * 201])
def test_a_name_that_leads_elsewhere_is_refused(name):
    assert name_fault(name) is not None
    with pytest.raises(InputError, match=r"the split .*; rename it"):
        require_name(name, "the split")


@pytest.mark.parametrize("name", ["train", "train+restval", "a b", "2017", "a.b", "x" * 200, "日本"])
def test_other_names_are_parts_of_paths(name, tmp_path):
    assert require_name(name, "the split") == name
    (tmp_path / f"{name}.result.json").write_text("")
    assert len(list(tmp_path.iterdir())) == 1
