import pytest

from geosrseg.core.text.record import Record

RECORD = Record(
    {
        "text": "abc",
        "integer": 4,
        "float": 4.7,
        "true": True,
        "null": None,
        "texts": ["a", "b"],
        "numbers": [1, 2.5],
        "mapping": {"a": 1},
        "mappings": [{"a": 1}, {}],
        "huge": [10**400],
        "counts": [[1, 2], []],
        "negative": [[-1]],
        "nested": [[True]],
        "larger": [[10**20]],
    }
)


def test_values_of_the_right_type_are_read():
    assert RECORD.text("text") == "abc"
    assert RECORD.integer("integer") == 4
    assert RECORD.texts("texts") == ("a", "b")
    assert RECORD.numbers("numbers") == (1.0, 2.5)
    assert RECORD.mapping("mapping") == {"a": 1}
    assert RECORD.mappings("mappings") == [{"a": 1}, {}]
    assert RECORD.counts("counts") == ((1, 2), ())
    assert RECORD.number_by_name("mapping") == {"a": 1.0}


@pytest.mark.parametrize(
    ("kind", "key", "message"),
    [
        ("text", "integer", "integer is text, got 4"),
        ("text", "null", "null is text, got None"),
        ("integer", "true", "true is an integer, got True"),
        ("integer", "float", "float is an integer, got 4.7"),
        ("integer", "text", "text is an integer, got 'abc'"),
        ("texts", "text", "text is a list, got 'abc'"),
        ("texts", "numbers", "numbers is text, got 1"),
        ("numbers", "texts", "texts is a number, got 'a'"),
        ("numbers", "mapping", "mapping is a list"),
        ("numbers", "huge", "huge is a number that is far too large"),
        ("mapping", "texts", "texts holds JSON objects"),
        ("mappings", "texts", "texts holds JSON objects, got 'a'"),
        ("number_by_name", "text", "text holds JSON objects"),
        ("counts", "numbers", "numbers is a list of lists, got 1"),
        ("counts", "negative", "negative is 0 to 9007199254740992, got -1"),
        ("counts", "nested", "nested is an integer, got True"),
        ("counts", "larger", "larger is 0 to 9007199254740992, got 1000"),
        ("text", "absent", "'absent' is missing"),
    ],
)
def test_values_of_another_type_are_refused(kind, key, message):
    with pytest.raises(ValueError, match=message):
        getattr(RECORD, kind)(key)


@pytest.mark.parametrize("values", [None, [], "abc", 4])
def test_anything_but_an_object_is_refused(values):
    with pytest.raises(ValueError, match="expected a JSON object"):
        Record(values)


def test_a_message_stays_short():
    with pytest.raises(ValueError, match="integer") as caught:
        Record({"a": "x" * 10_000}).integer("a")
    assert len(str(caught.value)) < 120
