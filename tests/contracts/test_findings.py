"""What once went wrong, or might: each was found by somebody who tried."""

import datetime as dt
import json

import duckdb
import pandas as pd
import polars as pl
import pytest

from sovereignmesh.contracts import (
    DataContract,
    DataContractValidator,
    check_contract,
    diff_contracts,
    measure_quality,
    percent,
    project_contract,
)
from sovereignmesh.errors import ContractError, DataContractViolation, FrameError
from sovereignmesh.mesh import load_mesh

UTC = dt.UTC


def of(name="a", **said):
    return DataContract(allowed_fields=[name], data_schema={"fields": [{"name": name, **said}]})


def states(data, contract, **options):
    return {f"{one.check} {one.field}".strip(): one for one in check_contract(data, contract, **options).checks}


class TestNothingPassesUnseen:
    def test_keys_of_a_second_file_of_json_lines(self, tmp_path):
        (tmp_path / "a.jsonl").write_text('{"id": 1, "c": {"x": 1}}\n')
        (tmp_path / "b.jsonl").write_text('{"id": 2, "c": {"x": 1, "email": "e"}, "mail": "m"}\n')
        (tmp_path / "empty.jsonl").touch()
        result = check_contract(tmp_path, DataContract(allowed_fields=["id", "c"], excluded_fields=["email"]))
        assert result.rows == 2
        assert {one.check: one.names for one in result.violations} == {
            "allowed-fields": ("mail",), "excluded-fields": ("c.email",),
        }  # fmt: skip

    def test_fields_nested_in_a_second_parquet_file(self, tmp_path):
        pl.DataFrame({"c": [{"x": 1}]}).write_parquet(tmp_path / "a.parquet")
        pl.DataFrame({"c": [{"x": 1, "email": "e"}]}).write_parquet(tmp_path / "b.parquet")
        with pytest.raises(FrameError, match="differ in the columns c"):
            check_contract(tmp_path, DataContract(allowed_fields=["c"]))

    def test_what_could_not_be_read_is_not_ok_under_a_contract_of_names(self, tmp_path):
        path = tmp_path / "a.parquet"
        pl.DataFrame({"f": [float(number) for number in range(5000)]}).write_parquet(path)
        body = bytearray(path.read_bytes())
        body[40 : len(body) // 2] = bytes(len(body) // 2 - 40)
        path.write_bytes(bytes(body))
        result = check_contract(path, DataContract(allowed_fields=["f"]))
        assert (result.ok, [one.check for one in result.unknown]) == (False, ["row-count"])

    @pytest.mark.parametrize(
        "data",
        [
            duckdb.sql("select map {'email': 'e'} as m"),
            duckdb.sql('select \'{"email": "e"}\'::JSON as m'),
            pd.DataFrame({"m": [{"email": "e"}, "none"]}),
            pl.DataFrame({"m": pl.Series([object()], dtype=pl.Object)}),
        ],
        ids=["map", "json", "mixed", "object"],
    )
    def test_what_has_no_names_inside_is_unknown(self, tmp_path, data):
        contract = DataContract(allowed_fields=["m"], excluded_fields=["email"])
        assert states(data, contract)["excluded-fields"].state == "unknown"
        with pytest.raises(ContractError, match="whose inside has no names"):
            project_contract(data, contract, tmp_path / "o.parquet")

    def test_structs_in_maps_have_names(self):
        data = duckdb.sql("select map {'k': {'email': 'e'}} as m")
        assert states(data, DataContract(allowed_fields=["m"], excluded_fields=["email"]))["excluded-fields"].names == (
            "m.email",
        )

    def test_types_without_an_inside_are_no_secret(self):
        data = duckdb.sql("select uuid() as u, null as n, interval 1 day as i")
        contract = DataContract(allowed_fields=["u", "n", "i"], excluded_fields=["email"])
        assert states(data, contract)["excluded-fields"].state == "compliant"

    def test_a_promised_field_that_is_not_there(self, fixtures):
        contract = DataContract.from_mesh(load_mesh(fixtures / "mesh/seed"), "Customer 360")
        data = pl.DataFrame({"customerId": ["1"], "segment": ["a"]})
        with pytest.raises(DataContractViolation, match=r"Required fields missing: \{'region'\}"):
            DataContractValidator().validate_output(data, contract)

    def test_a_required_field_that_is_not_there_breaks_every_row(self):
        fields = [{"name": "a", "required": True}, {"name": "b", "minimum": 0}]
        contract = DataContract(allowed_fields=["a", "b"], data_schema={"fields": fields}, min_accuracy=1)
        assert measure_quality(pl.DataFrame({"b": [1]}), contract).accuracy == 0

    def test_values_behind_the_sample_are_not_seen_and_not_said_to_be(self):
        data = pl.DataFrame({"a": [None] * 1500 + ["ada@contoso.com"] * 10}, schema={"a": pl.String})
        contract = DataContract(allowed_fields=["a"], excluded_classifications=["MICROSOFT.PERSONAL.EMAIL"])
        check = states(data, contract)["excluded-classifications"]
        assert (check.state, "no values in the first 1,000 rows" in check.reason) == ("unknown", True)
        assert states(data, contract, sample=2000)["excluded-classifications"].state == "non-compliant"

    def test_text_that_is_no_number_is_still_classified(self, tmp_path):
        (tmp_path / "a.csv").write_text("a\n" + "ada@contoso.com\n" * 9)
        contract = DataContract(
            allowed_fields=["a"], excluded_classifications=["MICROSOFT.PERSONAL.EMAIL"],
            data_schema={"fields": [{"name": "a", "type": "integer"}]},
        )  # fmt: skip
        assert states(tmp_path / "a.csv", contract)["excluded-classifications"].state == "non-compliant"

    @pytest.mark.parametrize("field", [{"name": "b", "required": True}, {"name": "b"}])
    def test_a_schema_of_fields_that_are_not_allowed(self, field):
        with pytest.raises(ContractError, match="described and not allowed: b"):
            DataContract(allowed_fields=["a"], data_schema={"fields": [field]})

    def test_a_field_that_is_given_twice(self):
        with pytest.raises(ContractError, match="given twice: a"):
            DataContract(allowed_fields=["a", "a", "b"], min_completeness=60)

    @pytest.mark.parametrize(
        ("name", "excluded"),
        [
            ("€", "€"),
            ("p@ssword", "password"),
            ("em@il", "email"),
            ("phoneNumber", "phoneNumbers"),
            ("c.Email", "email"),
        ],
    )
    def test_names_of_signs_singulars_and_other_case(self, name, excluded):
        contract = (
            DataContract(allowed_fields=[name], excluded_fields=[excluded], exclude_similar=True)
            if name != excluded
            else None
        )
        if contract is not None:
            assert states(pl.DataFrame({name: [1]}), contract)["excluded-fields"].state == "non-compliant"
        nested = DataContract(allowed_fields=["x"], excluded_fields=[excluded], exclude_similar=True)
        assert states(pl.DataFrame({"x": [{name: 1}]}), nested)["excluded-fields"].state == "non-compliant"

    def test_nested_names_whatever_their_case(self):
        contract = DataContract(allowed_fields=["c"], excluded_fields=["email"])
        assert states(pl.DataFrame({"c": [{"Email": 1}]}), contract)["excluded-fields"].names == ("c.Email",)


class TestFigures:
    def test_integers_beyond_floats(self, tmp_path):
        data = pl.DataFrame({"a": [2**53]})
        assert states(data, of(allowed_values=[2**53 + 1]))["allowed-values a"].state == "non-compliant"
        (tmp_path / "a.csv").write_text("a\n9007199254740992\n9007199254740993\n")
        assert states(tmp_path / "a.csv", of(minimum=1, unique=True))["unique a"].state == "compliant"

    def test_short_floats_on_both_engines(self):
        data = pl.DataFrame({"a": [0.1]}, schema={"a": pl.Float32})
        connection = duckdb.connect()
        connection.register("t", data.to_arrow())
        for one in (data, connection.sql("select * from t")):
            assert states(one, of(maximum=0.1))["range a"].state == "non-compliant"

    def test_text_without_a_type_is_not_put_in_an_order(self, tmp_path):
        (tmp_path / "a.csv").write_text("price,discount,day\n100,20,31/12/1999\n10,9,\n")
        contract = DataContract(
            allowed_fields=["price", "discount", "day"],
            data_schema={
                "fields": [{"name": "day", "minimum": "2026-01-31"}],
                "validity_rules": [{"name": "r", "rule": "price > discount"}],
            },
        )
        found = states(tmp_path / "a.csv", contract)
        assert {found[name].state for name in ("range day", "validity-rule r")} == {"unknown"}
        assert "has no type in the schema" in found["range day"].reason

    def test_a_value_that_is_not_of_its_type_is_there(self, tmp_path):
        (tmp_path / "a.csv").write_text("a,b\n3.0,x\nabc,x\n,x\n")
        result = check_contract(
            tmp_path / "a.csv", of(type="integer").model_copy(update={"allowed_fields": ("a", "b")})
        )
        assert result.quality.fields["a"] == pytest.approx(200 / 3)
        assert [row["row"]["a"] for row in result.failing_rows()] == ["abc"]

    def test_json_writes_moments_as_text(self, tmp_path):
        (tmp_path / "a.jsonl").write_text('{"a": "2026-11-24T11:30:00Z"}\n')
        contract = DataContract(
            allowed_fields=["a"], freshness="1h",
            data_schema={"fields": [{"name": "a", "type": "timestamp"}], "timestamp_column": "a"},
        )  # fmt: skip
        assert check_contract(tmp_path / "a.jsonl", contract, at=dt.datetime(2026, 11, 24, 12, tzinfo=UTC)).ok

    def test_a_type_that_text_does_not_tell(self, tmp_path):
        (tmp_path / "a.csv").write_text("a\ngarbage\n")
        assert states(tmp_path / "a.csv", of(type="object"))["type a"].state == "non-compliant"

    @pytest.mark.parametrize(("rows", "broken"), [([(None, None)] * 2, 2), ([(1, 1)] * 2, 1), ([(1, None), (1, 2)], 1)])
    def test_keys_are_counted_once(self, rows, broken):
        data = pl.DataFrame(rows, schema={"a": pl.Int64, "b": pl.Int64}, orient="row")
        contract = DataContract(allowed_fields=["a", "b"], data_schema={"primary_key": ["a", "b"]})
        assert states(data, contract)["primary-key a, b"].broken == broken

    def test_percentages_are_cut_as_they_are_written(self):
        assert [percent(value) for value in (0.29, 1.15, 64.1, 99.999)] == ["0.29 %", "1.15 %", "64.1 %", "99.99 %"]


class TestMomentsThatPythonDoesNotKnow:
    FRESH = DataContract(allowed_fields=["a"], freshness="1h", min_timeliness=1, data_schema={"timestamp_column": "a"})

    @pytest.mark.parametrize(
        "data",
        [
            duckdb.sql("select 'infinity'::TIMESTAMP as a"),
            duckdb.sql("select '290000-01-01'::TIMESTAMP as a"),
            pl.DataFrame({"a": pl.Series([10**18], dtype=pl.Int64).cast(pl.Datetime("us"))}),
            pl.DataFrame({"a": [dt.datetime(9999, 12, 31, 23)]}).with_columns(  # noqa: DTZ001
                pl.col("a").dt.replace_time_zone("America/New_York")
            ),
        ],
        ids=["infinity", "far", "us", "zone"],
    )
    def test_they_are_in_the_future(self, data, tmp_path):
        found = states(data, self.FRESH)
        assert (found["freshness a"].state, found["timeliness"].state) == ("non-compliant", "non-compliant")
        if isinstance(data, pl.DataFrame):
            data.write_parquet(tmp_path / "a.parquet")
            assert states(tmp_path / "a.parquet", self.FRESH)["freshness a"].state == "non-compliant"

    def test_a_bound_that_is_no_moment_there(self):
        data = pl.DataFrame({"a": [dt.datetime(2026, 1, 1, tzinfo=UTC)]}).with_columns(
            pl.col("a").dt.convert_time_zone("Europe/Berlin")
        )
        assert states(data, of(maximum="9999-12-31T23:59:59Z"))["range a"].state == "unknown"

    def test_bounds_that_are_no_number_there(self):
        assert states(pl.DataFrame({"a": [1]}), of(allowed_values=[10**400]))["allowed-values a"].state == "unknown"


class TestDiff:
    def contract(self, **other):
        return DataContract(**{"allowed_fields": ["a"], "consumer": "Sales", "product": "P", **other})

    def test_residency_that_is_given_up_breaks_and_one_that_is_new_does_not(self):
        bound, free = self.contract(residency=["westeurope"]), self.contract()
        assert [one.breaking for one in diff_contracts(bound, free)] == [True]
        assert [one.breaking for one in diff_contracts(free, bound)] == [False]

    def test_two_contracts_with_one_consumer(self):
        one, other = self.contract(purpose="p"), self.contract(purpose="q")
        assert diff_contracts([one, other], [one, other]) == []
        assert any(each.breaking for each in diff_contracts([one, other], [other]))

    def test_a_number_that_becomes_a_text(self):
        old = self.contract(data_schema={"fields": [{"name": "a", "minimum": 0}]})
        new = self.contract(data_schema={"fields": [{"name": "a", "minimum": "2026-01-01"}]})
        assert [one.breaking for one in diff_contracts(old, new)] == [True]


class TestProject:
    def test_what_is_left_out_does_not_matter(self, tmp_path):
        data = pl.DataFrame({"id": [1], "photo": [b"x"], "s": [{"email": "e"}]})
        contract = DataContract(
            allowed_fields=["id"], excluded_fields=["email"], excluded_classifications=["MICROSOFT.PERSONAL.EMAIL"]
        )
        assert project_contract(data, contract, tmp_path / "o.parquet").fields == ("id",)

    def test_text_is_what_the_schema_says(self, tmp_path):
        (tmp_path / "a.csv").write_text("a,t\n1,2026-11-24T11:30:00Z\n")
        schema = {"fields": [{"name": "a", "type": "integer"}, {"name": "t", "type": "timestamp"}]}
        contract = DataContract(allowed_fields=["a", "t"], data_schema=schema)
        out = project_contract(tmp_path / "a.csv", contract, tmp_path / "o.parquet").path
        assert check_contract(out, contract).ok
        (tmp_path / "a.csv").write_text("a,t\nx,2026-11-24T11:30:00Z\n")
        with pytest.raises(ContractError, match="a is not always integer"):
            project_contract(tmp_path / "a.csv", contract, tmp_path / "p.parquet")
        assert project_contract(tmp_path / "a.csv", contract, tmp_path / "p.csv").fields == ("a", "t")

    def test_not_onto_itself(self, tmp_path):
        (tmp_path / "a.csv").write_text("a,b\n1,2\n")
        with pytest.raises(FrameError, match="is the data itself"):
            project_contract(tmp_path / "a.csv", DataContract(allowed_fields=["a"]), tmp_path / "a.csv", overwrite=True)


class TestWords:
    @pytest.mark.parametrize(
        ("call", "words"),
        [
            (lambda: check_contract(pl.DataFrame({"a": [1]}), {"a": 1}), "wants a DataContract"),
            (lambda: check_contract(pl.DataFrame({"a": [1]}), of(), at="2026-01-01"), "has no time zone"),
            (lambda: DataContract.from_mesh("mesh"), "wants a mesh"),
            (lambda: DataContract(alowed_fields=["a"]), "did you mean 'allowed_fields'"),
            (lambda: of(pattern="(?m)^a"), "leave m out"),
        ],
    )
    def test_one_that_says_what_to_do(self, call, words):
        with pytest.raises(ContractError, match=words.replace("(", r"\(")):
            call()

    def test_a_result_says_what_is_wrong(self):
        text = str(check_contract(pl.DataFrame({"a": [1], "b\x1b": [2]}), of(maximum=0)))
        assert text.splitlines()[0].startswith("data for a consumer: NOT OK, 2 of 3 checks fail, 1 row")
        assert "\x1b" not in text
        assert json.dumps(text)


class TestAttacks:
    def test_a_name_is_no_pattern(self, tmp_path):
        (tmp_path / "data[1].csv").write_text("id,email\n1,ada@contoso.com\n")
        (tmp_path / "data1.csv").write_text("id,email\n777,bob@contoso.com\n")
        contract = DataContract(allowed_fields=["id"], excluded_fields=["email"])
        out = project_contract(tmp_path / "data[1].csv", contract, tmp_path / "o.csv").path
        assert out.read_text() == "id\n1\n"
        (tmp_path / "a[b].jsonl").write_text('{"a": 1}\n')
        with pytest.raises(FrameError, match="is read as a pattern"):
            check_contract(tmp_path / "a[b].jsonl", contract)

    def test_types_that_differ_between_files(self, tmp_path):
        pl.DataFrame({"id": [1]}).write_parquet(tmp_path / "a.parquet")
        pl.DataFrame({"id": ["ada@contoso.com"]}).write_parquet(tmp_path / "b.parquet")
        with pytest.raises(FrameError, match="differ in the columns id"):
            check_contract(tmp_path, DataContract(allowed_fields=["id"]))

    @pytest.mark.parametrize(
        ("data", "excluded"),
        [
            ({"a.b": [{"email": "e"}]}, "email"),
            ({"p": [{"e.mail": 1}]}, "e.mail"),
            ({"p": [{"contact": {"email": 1}}]}, "contact.email"),
        ],
    )
    def test_names_with_points(self, tmp_path, data, excluded):
        frame = pl.DataFrame({**data, "n": [1]})
        fields = [{"name": "n", "maximum": 0}]
        contract = DataContract(
            allowed_fields=frame.columns, excluded_fields=[excluded], data_schema={"fields": fields}
        )
        result = check_contract(frame, contract)
        assert "excluded-fields" in {one.check for one in result.violations}
        assert result.failing_rows()[0]["row"][frame.columns[0]] == "***"
        with pytest.raises(ContractError, match="in what the contract gives"):
            project_contract(frame, contract, tmp_path / "o.parquet")

    def test_objects_that_json_lines_hold_as_text(self, tmp_path):
        (tmp_path / "a.jsonl").write_text('{"n": "x"}\n{"n": {"email": "ada@contoso.com"}}\n')
        contract = DataContract(allowed_fields=["n"], excluded_fields=["email"])
        assert states(tmp_path / "a.jsonl", contract)["excluded-fields"].state == "unknown"

    def test_what_is_shown_of_failing_rows(self):
        mails = [None] * 1200 + ["ada@contoso.com"] * 10
        data = pl.DataFrame(
            {"n": [0] * 1205 + [1] * 5, "late": mails, "list": [["ada@contoso.com"]] * 1210, "ok": ["x"] * 1210}
        )
        contract = DataContract(allowed_fields=data.columns, data_schema={"fields": [{"name": "n", "maximum": 0}]})
        assert check_contract(data, contract).failing_rows(1) == [
            {"row": {"n": 1, "late": "***", "list": "***", "ok": "x"}, "broken": ["range n"]}
        ]

    def test_messages_hold_no_values(self, tmp_path):
        (tmp_path / "a.csv").write_text("id,email\n1,a\n2,bob@contoso.com,\x1b[31m\n")
        with pytest.raises(FrameError) as caught:
            check_contract(tmp_path / "a.csv", of())
        assert "contoso" not in str(caught.value)
        assert "\x1b" not in str(caught.value)
        assert "line 3 has 3 of 2 cells" in str(caught.value)

    @pytest.mark.parametrize("folder", ["email=ada@contoso.com", "_email=ada@contoso.com"])
    def test_partitions_are_columns_or_refused(self, tmp_path, folder):
        for number, place in enumerate((tmp_path / "t", tmp_path / "t" / folder)):
            place.mkdir()
            pl.DataFrame({"id": [number]}).write_parquet(place / "a.parquet")
        contract = DataContract(allowed_fields=["id"], excluded_fields=["email"])
        assert not check_contract(tmp_path / "t" / folder, contract).ok
        with pytest.raises(FrameError, match="are not in the same partitions"):
            check_contract(tmp_path / "t", contract)
        csv = tmp_path / "c" / folder
        csv.mkdir(parents=True)
        (csv / "a.csv").write_text("id\n1\n")
        with pytest.raises(FrameError, match="of Parquet alone"):
            check_contract(tmp_path / "c", contract)

    def test_links_to_folders(self, tmp_path):
        (tmp_path / "real").mkdir()
        (tmp_path / "lake").mkdir()
        pl.DataFrame({"id": [1]}).write_parquet(tmp_path / "lake" / "a.parquet")
        (tmp_path / "lake" / "link").symlink_to(tmp_path / "real")
        with pytest.raises(FrameError, match="link is a link to a folder"):
            check_contract(tmp_path / "lake", of("id"))

    def test_a_footer_of_a_column_with_a_point(self, tmp_path):
        frame = pl.DataFrame({"a.b": [None, None], "a": [{"b": 1}, {"b": 2}]}, schema_overrides={"a.b": pl.Int64})
        frame.write_parquet(tmp_path / "a.parquet")
        assert measure_quality(tmp_path / "a.parquet").fields == {"a.b": 0, "a": 100}

    @pytest.mark.parametrize("written", ["float", "decimal"])
    def test_cards_among_other_numbers(self, written):
        cards = [
            4111111111111111,
            4012888888881881,
            5555555555554444,
            5105105105105100,
            6011111111111117,
            378282246310005,
        ]
        series = (
            pl.Series("a", [*map(float, cards), 0.5])
            if written == "float"
            else pl.Series("a", cards).cast(pl.Decimal(20, 2))
        )
        contract = DataContract(
            allowed_fields=["a"], excluded_classifications=["MICROSOFT.FINANCIAL.CREDIT_CARD_NUMBER"]
        )
        assert states(series.to_frame(), contract)["excluded-classifications"].state == "non-compliant"

    def test_an_ordinary_header_of_a_quality(self, tmp_path):
        from sovereignmesh.contracts import DataContract as Contract

        mesh = tmp_path / "m.yaml"
        mesh.write_text("dataProduct: {name: P, domain: D, owner: o, schema: {fields: [{name: id}]}}\n")
        (tmp_path / "a.csv").write_text("id, amount\n1,2\n")
        contract = Contract.of_product(load_mesh(mesh), None, ("id", " amount"))
        assert check_contract(tmp_path / "a.csv", contract).quality.completeness == 100

    @pytest.mark.parametrize(
        "text", ["9999-12-31T23:59:59-05:00", "0001-01-01T00:00:00+05:00", "26-6-1", "+2026-06-01"]
    )
    def test_moments_in_a_csv(self, tmp_path, text):
        (tmp_path / "a.csv").write_text(f"a\n{text}\n")
        contract = DataContract(
            allowed_fields=["a"],
            freshness="1h",
            data_schema={"fields": [{"name": "a", "type": "timestamp"}], "timestamp_column": "a"},
        )
        assert not check_contract(tmp_path / "a.csv", contract).ok

    @pytest.mark.parametrize("rule", ["-" * 1500 + "a > 0", "a" + ".b" * 900 + " > 1", "0 < 1 < a", "a > 0 and 1 == 1"])
    def test_rules_that_nobody_reads(self, rule):
        with pytest.raises(ContractError, match="wants a rule on a row"):
            DataContract(allowed_fields=["a"], data_schema={"validity_rules": [{"name": "r", "rule": rule}]})

    def test_long_names_take_no_time(self):
        from sovereignmesh.patterns import resembles

        assert not resembles("e_" * 50_000, "email")
