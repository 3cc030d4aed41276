"""One statement for several tables."""

from sqlalchemy import Column, DateTime, Integer, MetaData, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from kernel.inserts import InsertBuilder

metadata = MetaData()
people = Table(
    "people", metadata, Column("id", Uuid), Column("name", Text), Column("extra", JSONB), schema="x"
)
marks = Table("marks", metadata, Column("n", Integer), Column("tags", ARRAY(Text)))
keys = Table("keys", metadata, Column("key", Text), Column("at", DateTime(timezone=True)))


def test_rows_of_several_tables_become_one_statement_with_typed_arguments() -> None:
    text, arguments = InsertBuilder().build(
        {people: [{"id": 1, "name": "a", "extra": {"k": "值"}}], marks: [{"n": 1}, {"n": 2}]}
    )
    assert text == (
        'WITH w0 AS (INSERT INTO "x"."people" ("id", "name", "extra")'
        " SELECT v.* FROM (VALUES ($1::UUID, $2::TEXT, $3::JSONB)) AS v),"
        ' w1 AS (INSERT INTO "marks" ("n")'
        " SELECT v.* FROM (VALUES ($4::INTEGER), ($5::INTEGER)) AS v) SELECT 1 AS claimed"
    )
    assert arguments == [1, "a", '{"k":"值"}', 1, 2]


def test_with_a_claim_nothing_is_inserted_unless_the_claim_is_new() -> None:
    text, arguments = InsertBuilder().build({marks: [{"n": 7}]}, claim=(keys, {"key": "k"}))
    assert text == (
        'WITH claim AS (INSERT INTO "keys" ("key") VALUES ($1::TEXT)'
        " ON CONFLICT DO NOTHING RETURNING 1),"
        ' w0 AS (INSERT INTO "marks" ("n") SELECT v.* FROM (VALUES ($2::INTEGER)) AS v, claim)'
        " SELECT (SELECT count(*) FROM claim) AS claimed"
    )
    assert arguments == ["k", 7]


def test_a_shape_is_built_once_and_another_shape_apart() -> None:
    builder = InsertBuilder()
    first, _ = builder.build({marks: [{"n": 1}]})
    again, _ = builder.build({marks: [{"n": 2}]})
    more, _ = builder.build({marks: [{"n": 1}, {"n": 2}]})
    assert first is again
    assert more != first
    assert len(builder._statements) == 2


def test_a_missing_value_stays_null_and_empty_tables_are_left_out() -> None:
    text, arguments = InsertBuilder().build(
        {people: [{"id": None, "name": None, "extra": None}], marks: []}
    )
    assert "marks" not in text
    assert arguments == [None, None, None]


def test_lists_stay_lists() -> None:
    _, arguments = InsertBuilder().build({marks: [{"n": 1, "tags": ["a", "b"]}]})
    assert arguments == [1, ["a", "b"]]
