"""`c360 show`, `why` and `export`: what a steward reads about customers, and takes out of the published file."""

from __future__ import annotations

import csv
import re

import duckdb
import pytest
from fixtures_operate import Town, built_town_fixture  # noqa: F401

from operate.environment import get_environment
from operate.errors import UserError
from operate.export import export
from operate.show import show
from operate.why import why

FIELD_CODE = re.compile(r"\b[a-z]+_[a-z_]+\b")


def explained(built_town: Town, first: str, second: str) -> str:
    """The text of `why` about two spreadsheet records; it never shows a code of ours."""
    text = why(built_town.environment, f"desk:people:{first}", f"desk:people:{second}")
    without_ids = re.sub(r"\bc_[a-z2-7]{20}\b", "", text)
    assert not FIELD_CODE.findall(without_ids), text
    return text


# ---------- show
def test_show_names_the_record_and_rule_of_each_value(built_town):
    text = show(built_town.environment, built_town.customer("1"))
    assert f"Customer {built_town.customer('1')}: Anna Adler" in text
    assert re.search(r"date of birth +1980-03-01 +desk:people:1 ", text)
    assert re.search(r"given name +Anna +\S+ +from the record that says most about it of 2 values", text)
    for key in ("desk:people:1", "desk:people:2", "desk:people:3", "erp:customers:77"):
        assert re.search(rf"^  {key} ", text, re.M), key
    assert re.search(r"open +1 invoice +100\.50 EUR", text)
    assert re.search(r"paid +1 invoice +-20\.25 EUR", text)
    assert "erp:customers:77 joined customer" in text
    golden = text.partition("Golden record")[2].partition("Records")[0]
    assert not FIELD_CODE.findall(re.sub(r"\S+:\S+", "", golden))


def test_show_takes_a_record_key_too(built_town):
    text = show(built_town.environment, "desk:people:3")
    assert text.startswith(f"desk:people:3 belongs to customer {built_town.customer('1')}.")


def test_show_follows_an_old_id_and_says_so(built_town):
    ((old, current),) = built_town.published(
        "select customer_id, current_customer_id from customer_360.customer_id_redirects where status = 'merged'"
    )
    text = show(built_town.environment, old)
    assert text.startswith(f"Customer {old} was merged on 2026-01-06; the id leads to {current} now.")
    assert f"Customer {current}: Jana Jung" in text


def test_show_tells_who_a_retired_customer_was(built_town):
    ((retired,),) = built_town.published(
        "select customer_id from customer_360.customer_id_redirects where current_customer_id is null"
    )
    text = show(built_town.environment, retired)
    assert "was retired on 2026-01-06: all its records left their sources" in text
    assert f"desk:people:16 belonged to {retired}" in text


def test_show_of_an_unknown_name_is_refused_with_a_hint(built_town):
    with pytest.raises(UserError, match="neither a customer nor a record is called 'c_nobody'"):
        show(built_town.environment, "c_nobody")
    with pytest.raises(UserError, match="did you mean desk:people:12"):
        show(built_town.environment, "desk:person:12")


# ---------- why
def test_records_joined_directly_tell_their_evidence(built_town):
    text = explained(built_town, "1", "2")
    assert "Yes: desk:people:1 and desk:people:2 are one customer" in text
    assert "They are joined directly:" in text
    assert "They share the e-mail anna.adler@mail.test" in text
    assert "have been in this customer" in text


def test_a_chain_is_told_link_by_link_with_the_verdict_on_its_ends(built_town):
    text = explained(built_town, "1", "3")
    assert "They are joined through 1 other record:" in text
    assert "1. desk:people:1 and desk:people:2: They share the e-mail" in text
    assert "2. desk:people:2 and desk:people:3: They share the phone +4930901820" in text
    assert "one given name is the initial of the other" in text
    assert "On their own, without the records between, they would not be joined:" in text


def test_a_veto_is_named(built_town):
    text = explained(built_town, "4", "5")
    assert "No: desk:people:4 and desk:people:5 are two customers" in text
    assert "They have the e-mail bert@mail.test in common." in text
    assert "different dates of birth, 1970-01-02 and 1999-12-31" in text


def test_a_failed_guard_says_what_would_have_been_needed(built_town):
    text = explained(built_town, "6", "7")
    assert "They have the phone +49302227777 in common." in text
    assert "But their given names differ and their family names differ." in text
    assert "The same phone counts only on condition that the given names agree" in text


def test_a_suppressed_identifier_is_named_with_its_reason(built_town):
    text = explained(built_town, "8", "9")
    assert "They were never compared" in text
    assert "Both hold the e-mail info@office.test, which counts for nothing: role mailbox" in text


def test_records_that_share_nothing_tell_what_is_missing(built_town):
    text = explained(built_town, "10", "11")
    assert "They were never compared: no identifier that counts is held by both." in text
    assert "e-mail: only desk:people:10 has one (greta@mail.test), desk:people:11 has none" in text
    assert "To be joined they would have to share one of these" in text


def test_a_deleted_record_is_told_from_one_that_never_was(built_town):
    text = explained(built_town, "16", "10")
    assert "desk:people:16 left its source (noticed on 2026-01-06); it belonged to customer c_" in text
    assert "is no longer live" in text
    with pytest.raises(UserError, match="neither a customer nor a record is called 'desk:people:999'"):
        explained(built_town, "999", "10")


def test_two_customer_ids_that_were_merged_are_told_when_and_why(built_town):
    ((old, current),) = built_town.published(
        "select customer_id, current_customer_id from customer_360.customer_id_redirects where status = 'merged'"
    )
    text = why(built_town.environment, old, current)
    assert f"Yes: {old} and {current} are one customer, {current}, today." in text
    assert f"customer {old} was merged into {current}, because of:" in text
    assert "desk:people:13 and desk:people:15: They share the e-mail jana@mail.test" in text


def test_two_customers_are_told_by_the_pair_that_comes_closest(built_town):
    text = why(built_town.environment, built_town.customer("4"), built_town.customer("5"))
    assert "Of their records, these two come closest:" in text
    assert "different dates of birth" in text


def test_the_same_record_twice(built_town):
    assert "are the same record" in explained(built_town, "1", "1")


# ---------- export
def test_a_csv_defuses_formulas_and_leaves_numbers_alone(built_town, tmp_path):
    target = tmp_path / "customers.csv"
    assert export(built_town.environment, "customer_360.customer_360", target) == len(
        built_town.published("from customer_360.customer_360")
    )
    rows = read_csv(target)
    ilse = next(row for row in rows if row["given_name"] == "Ilse")
    assert ilse["city"] == """'=HYPERLINK("x";"y")"""
    assert {row["phone"][:2] for row in rows if row["phone"]} == {"'+"}
    for row in rows:
        for cell in row.values():
            assert not re.match(r"[=+@\t\r\n]", cell), cell

    export(built_town.environment, "customer_360.customer_invoices", target)
    assert {row["amount"] for row in read_csv(target)} == {"100.50", "-20.25"}
    assert [path.name for path in tmp_path.iterdir()] == ["customers.csv"]


def read_csv(path) -> list[dict[str, str]]:
    with open(path, newline="", encoding="utf-8") as handle:
        return list(csv.DictReader(handle))


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
def test_every_start_of_a_formula_is_defused_in_text_and_not_in_numbers(start, built_town, tmp_path):
    environment = get_environment("formulas").create()
    environment.published.mkdir(exist_ok=True)
    path = environment.published / "steward.duckdb"
    path.unlink(missing_ok=True)
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema s; create table s.t (word varchar, part struct(x varchar), number integer)")
        connection.execute("insert into s.t values (?, {'x': 'a'}, -1)", [f"{start}1+1"])
    export(environment, "s.t", tmp_path / "t.csv")
    assert read_csv(tmp_path / "t.csv") == [{"word": f"'{start}1+1", "part": "{'x': a}", "number": "-1"}]


def test_parquet_keeps_every_value_and_type(built_town, tmp_path):
    target = tmp_path / "customers.parquet"
    export(built_town.environment, "customer_360.customer_360", target)
    written = duckdb.sql(f"from '{target}' order by customer_id").fetchall()
    assert written == built_town.published("from customer_360.customer_360 order by customer_id")


def test_the_crosswalk_holds_live_records_under_the_names_of_the_contract(built_town, tmp_path):
    target = tmp_path / "out.csv"
    export(built_town.environment, "identity_resolved.idr_crosswalk", target)
    rows = read_csv(target)
    assert {"source_system", "source_id", "customer_id"} <= set(rows[0])
    desk = {row["source_id"] for row in rows if row["source_system"] == "desk"}
    assert desk == {str(number) for number in range(1, 16)}


@pytest.mark.parametrize(
    ("table", "name", "message"),
    [
        (
            "customer_360.nothing",
            "x.csv",
            r"no published table 'customer_360.nothing'. There are:\n",
        ),
        ("customer_360.customer_360", "no/x.csv", "the folder .*no does not exist"),
        ("customer_360.customer_360", "x.xls", r"must end in \.csv or \.parquet"),
    ],
)
def test_what_cannot_be_exported_is_refused_and_leaves_nothing(table, name, message, built_town, tmp_path):
    with pytest.raises(UserError, match=message):
        export(built_town.environment, table, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_an_environment_without_a_published_file_says_so(built_town):
    with pytest.raises(UserError, match="nothing is published in environment 'elsewhere'.*c360 run --env elsewhere"):
        show(get_environment("elsewhere"), "c_x")
