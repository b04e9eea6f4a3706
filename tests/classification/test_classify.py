"""What columns are: on every engine alike, with a reason where it is not known, and never with a raw value."""

import datetime as dt
import json
import random
import sys
from decimal import Decimal

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sovereignmesh.classification import classify_columns, detectors
from sovereignmesh.errors import FrameError
from sovereignmesh.frames import open_data

EMAILS = [f"{name}@contoso.com" for name in ("ada", "bob", "cy", "dee", "eve", "fay", "gus", "hal", "ivy", "joe")]
IBANS = ["BE31435411161155", "GR1601101050000010547023795"]
DNIS = ["54362315K", "12345678Z", "00000000T", "00000001R", "00000002W", "00000003A"]
RANK = {"low": 0, "medium": 1, "high": 2}


def found(data, **options):
    result = classify_columns(data, **options)
    return {column.name: [one.classification for one in column.detections] for column in result.columns}


def only(data, name, **options):
    (detection,) = classify_columns(data, **options).column(name).detections
    return detection


FRAME = pl.DataFrame(
    {
        "c1": EMAILS,
        "c2": [*IBANS * 4, None, ""],
        "amount": [float(number) for number in range(9)] + [None],
        "n": [111222333 + number * 7 for number in range(10)],
        "geburtsdatum": [dt.date(1980, 1, day) for day in range(1, 11)],
        "Nachname": ["Lovelace", "Hopper"] * 5,
        "when": [dt.datetime(2026, 11, 30, hour, tzinfo=dt.UTC) for hour in range(10)],
        "flag": [True, False] * 5,
    }
)
ENGINES = {
    "polars": lambda frame: frame,
    "polars lazy": lambda frame: frame.lazy(),
    "pyarrow": lambda frame: frame.to_arrow(),
    "pandas": lambda frame: pd.DataFrame(frame.to_dict(as_series=False)),
    "pandas with types of arrow": lambda frame: frame.to_pandas(use_pyarrow_extension_array=True),
    "opened": open_data,
    "duckdb": lambda frame: duckdb.from_arrow(frame.to_arrow()),
}


def without_types(result):
    plain = result.to_dict()
    for column in plain["columns"]:
        del column["dtype"]
    return plain


@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_tells_the_same(engine):
    expected = classify_columns(FRAME)
    assert {one.name for one in expected.columns if one.detections} == {"c1", "c2", "Nachname", "geburtsdatum"}
    assert without_types(classify_columns(ENGINES[engine](FRAME))) == without_types(expected)


def test_what_is_found_and_what_purview_would_assign_are_two_things():
    column = classify_columns(pl.DataFrame({"c1": EMAILS[:3]})).column("c1")
    (detection,), (told,) = column.detections, column.purview
    assert (detection.classification, detection.confidence, detection.by) == (
        "MICROSOFT.PERSONAL.EMAIL",
        "high",
        "values",
    )
    assert (detection.matching, detection.distinct, detection.share) == (3, 3, 1.0)
    assert (told.classification, told.outcome) == ("MICROSOFT.PERSONAL.EMAIL", "not-assigned")
    assert "3 distinct values" in told.reason
    (told,) = classify_columns(pl.DataFrame({"c1": EMAILS[:8]})).column("c1").purview
    assert told.outcome == "assigned"
    assert "assumed" in told.reason


def test_purview_counts_the_distinct_values_of_the_first_128_rows():
    """Here the first rows are seven addresses, and the eighth comes too late."""
    late = pl.DataFrame({"c1": EMAILS[:7] * 20 + EMAILS[7:]})
    column = classify_columns(late).column("c1")
    assert column.distinct == 10
    assert column.purview[0].outcome == "not-assigned"
    assert column.purview[0].reason.startswith("7 distinct values in the first 128 rows")


@pytest.mark.parametrize(("wrong", "outcome"), [(6, "assigned"), (7, "not-assigned")])
def test_purview_wants_60_percent(wrong, outcome):
    values = [*EMAILS, *(f"word {number}" for number in range(wrong))]
    (told,) = classify_columns(pl.DataFrame({"c1": values})).column("c1").purview
    assert told.outcome == outcome


def test_a_model_of_purview_s_is_not_predicted():
    names = pl.DataFrame({"last_name": [f"Lovelac{letter}" for letter in "abcdefghij"]})
    (told,) = classify_columns(names).column("last_name").purview
    assert (told.classification, told.outcome) == ("MICROSOFT.PERSONAL.NAME", "cannot-be-predicted")
    assert "model" in told.reason


def test_too_few_rows_for_a_prediction_are_said():
    frame = pl.DataFrame({"c1": EMAILS})
    assert classify_columns(frame, rows=9).column("c1").purview[0].outcome == "cannot-be-predicted"
    assert classify_columns(frame, rows=10).column("c1").purview[0].outcome == "assigned"


def test_own_classifications_are_not_purview_s():
    frame = pl.DataFrame({"c1": [f"00:00:5E:00:53:{number:02X}" for number in range(10)]})
    (told,) = classify_columns(frame).column("c1").purview
    assert (told.classification, told.outcome) == ("Personal.Device.MACAddress", "not-assigned")


def test_the_suggestion_leaves_out_what_is_not_personal():
    frame = pl.DataFrame(
        {"mail": EMAILS, "bic": "AGRIFRPP", "city": "Paris", "id": list(range(10)), "key": "AKIAIOSFODNN7EXAMPLE"}
    )
    result = classify_columns(frame)
    assert result.suggested_excluded_fields == ("key", "mail")
    assert [one.classification for one in result.column("city").detections] == ["MICROSOFT.GOVERNMENT.CITY_NAME"]


def test_the_name_alone_is_little():
    """The longest phrase counts: an e-mail address is no postal address."""
    empty = pl.DataFrame(
        {"email_address": [None, None], "street_address": ["", " "]}, schema_overrides={"email_address": pl.String}
    )
    result = classify_columns(empty)
    for name, classification in (
        ("email_address", "MICROSOFT.PERSONAL.EMAIL"),
        ("street_address", "Personal.Contact.PostalAddress"),
    ):
        (detection,) = result.column(name).detections
        assert (detection.classification, detection.by, detection.confidence) == (classification, "name", "low")
        assert result.column(name).unknown == ("no values",)


def test_values_may_contradict_the_name():
    frame = pl.DataFrame(
        {"email_sent": [True, False], "phone_count": [1, 2], "iban": ["none", "open"], "name_id": [1, 2]}
    )
    assert found(frame) == {"email_sent": [], "iban": [], "name_id": [], "phone_count": []}


def test_a_name_is_needed_for_digits_alone():
    digits = [f"0{number}" for number in range(611111111, 611111131)]
    assert found(pl.DataFrame({"c1": digits, "mobile": digits})) == {"c1": [], "mobile": ["Personal.Contact.Phone"]}


def test_the_same_values_may_be_two_countries():
    """Estonia and Lithuania count alike: the name tells which, or both are said, and neither is sure."""
    from stdnum.ee import ik

    codes = [base + ik.calc_check_digit(base + "0") for base in (f"3800101{number:03}" for number in range(100, 120))]
    assert all(map(ik.is_valid, codes))
    result = classify_columns(pl.DataFrame({"c1": codes, "asmens_kodas": codes}))
    both = result.column("c1").detections
    assert {one.classification.split(".")[2] for one in both} == {"ESTONIA", "LITHUANIA"}
    assert {one.confidence for one in both} == {"medium"}
    assert all(len(one.rivals) == 1 for one in both)
    (one,) = result.column("asmens_kodas").detections
    assert (one.classification, one.confidence) == ("MICROSOFT.GOVERNMENT.LITHUANIA.PERSONAL.CODE", "high")


def test_numbers_are_read_as_a_person_writes_them():
    """Whole numbers stay whole where a null has made them floats."""
    from stdnum.nl import bsn

    numbers = [number for number in range(111222300, 111223300) if bsn.is_valid(str(number))]
    for values in (numbers, [*map(float, numbers), None], list(map(Decimal, numbers))):
        assert "MICROSOFT.GOVERNMENT.NETHERLANDS.BSN_NUMBER" in found(pl.DataFrame({"c1": values}))["c1"]


def test_a_library_s_slow_tests_are_left_out_where_few_values_pass(monkeypatch):
    """Of a thousand numbers of the look of a BSN one in eleven is one; where all are, all are tested."""
    from stdnum.nl import bsn

    from sovereignmesh.classification import matching

    tested = []

    def counting(kind, argument=""):
        return lambda value: tested.append(value) or (argument == "nl.bsn" and bsn.is_valid(value))

    monkeypatch.setattr(matching, "find_validator", counting)
    numbers = [str(number) for number in range(111222300, 111223300)]
    valid = [number for number in map(str, range(111222300, 111240000)) if bsn.is_valid(number)][:1000]
    assert found(pl.DataFrame({"bsn": numbers})) == {"bsn": []}
    assert len(tested) < 1000
    assert only(pl.DataFrame({"bsn": valid}), "bsn").matching == 1000


# What cannot be read


UNREADABLE = {
    "bytes": pl.Series([b"ada@contoso.com"]),
    "list": pl.Series([["ada@contoso.com"]]),
    "struct": pl.Series([{"mail": "ada@contoso.com"}]),
    "array": pl.Series([[1, 2]], dtype=pl.Array(pl.Int64, 2)),
    "object": pl.Series([object()], dtype=pl.Object),
}


@pytest.mark.parametrize("kind", UNREADABLE)
def test_what_is_not_looked_at_is_said(kind):
    result = classify_columns(pl.DataFrame({"c1": UNREADABLE[kind]}))
    assert result.not_examined == ("c1",)
    assert len(result.column("c1").unknown) == 1
    assert "not read: c1: " in result._repr_html_()


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (pl.DataFrame({"c1": pl.Series([None, None])}), "no values"),
        (pl.DataFrame({"c1": pl.Series([], dtype=pl.String)}), "no rows"),
        (pd.DataFrame({"c1": [None, float("nan")]}), "no values"),
        (pd.DataFrame({"c1": [b"bytes"]}), "bytes"),
        (pd.DataFrame({"c1": [{"a": 1}]}), "nested"),
        (pd.DataFrame({"c1": [{"a": 1}, "x"]}), "objects of type dict"),
    ],
)
def test_nothing_to_look_at_is_said(frame, said):
    (reason,) = classify_columns(frame).column("c1").unknown
    assert said in reason


def test_objects_of_several_types_are_their_texts():
    frame = pd.DataFrame({"c1": [*EMAILS, 1, 2.5, None, dt.date(2026, 11, 30)]})
    assert only(frame, "c1").matching == 10


def test_a_column_that_spoils_the_others_is_left_out():
    relation = duckdb.sql("select 'ada@contoso.com' as mail, map {'a': 1} as more, interval 1 day as long")
    result = classify_columns(relation)
    assert [one.classification for one in result.column("mail").detections] == ["MICROSOFT.PERSONAL.EMAIL"]
    assert "more" in result.not_examined


@pytest.mark.parametrize("data", [None, 1, [1, 2], {"a": [1]}, object(), pl.Series([1])])
def test_what_is_no_frame_is_refused(data):
    with pytest.raises(FrameError, match="wants a frame"):
        classify_columns(data)


def test_two_columns_of_one_name_are_refused():
    with pytest.raises(FrameError, match="two columns have the name a"):
        classify_columns(pd.DataFrame([[1, 2]], columns=["a", "a"]))
    with pytest.raises(FrameError, match="two columns have the name a"):
        classify_columns(pa.table([[1], [2]], names=["a", "a"]))


@pytest.mark.parametrize("module", ["polars", "narwhals", "stdnum", "phonenumbers"])
def test_without_the_extra_it_is_said_how_to_get_it(module, monkeypatch):
    from sovereignmesh.classification.validators import find_validator

    find_validator.cache_clear()
    monkeypatch.setitem(sys.modules, module, None)
    for loaded in [name for name in sys.modules if name.startswith(f"{module}.")]:
        monkeypatch.setitem(sys.modules, loaded, None)
    with pytest.raises(FrameError, match=r"pip install 'sovereignmesh\[frames\]'"):
        classify_columns(
            {"c1": [1]} if module in ("polars", "narwhals") else pl.DataFrame({"c1": ["+49 30 901820", *DNIS]})
        )
    find_validator.cache_clear()


def test_rows_are_at_least_one():
    with pytest.raises(ValueError, match="wants at least 1"):
        classify_columns(FRAME, rows=0)


@pytest.mark.parametrize("frame", [pl.DataFrame(), pd.DataFrame(), pa.table({}), pl.LazyFrame()])
def test_no_columns_are_nothing_to_look_at(frame):
    with pytest.raises(FrameError, match="it has no columns"):
        classify_columns(frame)


def test_names_that_are_not_text_or_not_printable():
    result = classify_columns(pd.DataFrame({0: EMAILS, "a\x1b[31m<b>": EMAILS}))
    assert {one.name for one in result.columns} == {"0", "a\x1b[31m<b>"}
    assert "\x1b" not in result._repr_html_()
    assert "\x1b" not in result._repr_html_()
    assert "<b>" not in result._repr_html_()


def test_many_columns():
    wide = pl.DataFrame({f"c{number}": [number, number + 1] for number in range(5000)})
    result = classify_columns(wide)
    assert len(result.columns) == 5000
    assert not result.suggested_excluded_fields


def test_a_column_that_is_not_there():
    with pytest.raises(KeyError):
        classify_columns(FRAME).column("none")


# Invariants


POOL = sorted({value for one in detectors() if not one.needs_name for value in (*one.positive, *one.negative)})
columns_of_values = st.lists(st.sampled_from(POOL), min_size=1, max_size=12)
quick = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@quick
@given(st.lists(columns_of_values, min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_the_order_of_rows_and_columns_changes_nothing(columns, rng):
    height = max(map(len, columns))
    data = {f"c{number}": values + [None] * (height - len(values)) for number, values in enumerate(columns)}
    expected = classify_columns(pl.DataFrame(data, strict=False))
    rows = list(range(height))
    rng.shuffle(rows)
    names = list(data)
    rng.shuffle(names)
    shuffled = pl.DataFrame({name: [data[name][row] for row in rows] for name in names}, strict=False)
    assert classify_columns(shuffled).to_dict() == expected.to_dict()


@quick
@given(st.sampled_from([one for one in detectors() if not one.needs_name]), st.data())
def test_deleting_matching_values_never_raises_what_is_found(detector, data):
    values = [*detector.positive, *data.draw(st.lists(st.sampled_from(POOL), max_size=8))]

    def level(kept):
        detections = classify_columns(pl.DataFrame({"c1": kept}, schema={"c1": pl.String})).column("c1").detections
        return max((RANK[one.confidence] for one in detections if one.detector == detector.name), default=-1)

    before = level(values)
    matching = data.draw(st.sampled_from(detector.positive))
    assert level([value for value in values if value != matching]) <= before or before == -1


@quick
@given(st.text(max_size=40))
def test_a_mask_shows_the_first_character_and_the_end_of_a_domain(value):
    from sovereignmesh.classification.masking import mask

    shown = mask(value)
    if len(value) < 5:
        assert shown == "***"
    else:
        rest = shown.removeprefix(mask(value[0] * 5)[:-3])
        assert rest == "***" or (rest.startswith("***@***.") and value.endswith(rest[7:]))


def test_no_value_is_in_a_result():
    rng = random.Random(3)
    values = [f"{rng.randrange(10**8):08}@contoso.com" for _ in range(50)]
    result = classify_columns(pl.DataFrame({"mail": values, "password": [value[:8] for value in values]}))
    for text in (json.dumps(result.to_dict()), str(result.table), result._repr_html_(), repr(result)):
        assert not any(value[:8] in text for value in values)


def test_a_file_is_opened_by_frames(tmp_path):
    FRAME.select("c1", "n").write_csv(tmp_path / "people.csv")
    assert found(open_data(tmp_path / "people.csv")) == {"c1": ["MICROSOFT.PERSONAL.EMAIL"], "n": []}
