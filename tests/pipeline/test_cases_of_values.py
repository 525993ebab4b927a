"""Phones, e-mails, countries and date-times against their hard cases, and what must hold for any input at all."""

from __future__ import annotations

from datetime import date, timedelta

import phonenumbers
import pycountry
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.pipeline.cases import judge, read_cases
from udfs import country, email, moment, phone
from udfs.lists import read_seed, read_words

HUGE = "0" * 10_000_000
NASTY = ["\x00", "\ud800", "'; drop table customers; --", "\U0001f600" * 50, "\u202e\u200f\ufeff", HUGE, "@" * 999]

# Any text, and texts of the characters that the parsers look at: the latter get much further in.
TEXTS = st.one_of(
    st.text(max_size=80), st.text(alphabet='0123456789+-()/.,;:@" <>TZWexr&#٣٤東a\n\x00\ud800', max_size=60)
)


def in_e164(answer: str | None) -> bool:
    return answer is None or phonenumbers.is_valid_number(phonenumbers.parse(answer))


def dated(kind: str, raw: str | None, date_format: str | None, timezone: str | None) -> dict[str, str | None]:
    """An instant or a date of birth, with whether it came with an issue."""
    read = (
        moment.parse_datetime(raw, date_format, timezone) if kind == "instant" else moment.parse_date(raw, date_format)
    )
    return {**read, "has_issue": str(read["issue"] is not None).lower()}


def mailed(raw: str | None) -> dict[str, str | None]:
    """An e-mail address, with whether it came with an issue."""
    answer = email.normalise_email(raw)
    return {**answer, "flagged": str(answer["issue"] is not None).lower()}


BARS = {
    "phones": (phone.parse_phone, 300, 0.98),
    "emails": (mailed, 200, 0.98),
    "countries": (lambda raw: {"country": country.parse_country(raw)}, 150, 0.98),
    "datetimes": (dated, 150, 0.98),
}


@pytest.mark.parametrize("name", BARS)
def test_hard_cases_are_right_but_for_few(name: str) -> None:
    clean, rows, bar = BARS[name]
    verdict = judge(name, clean)
    print(*verdict.misses, sep="\n")
    assert verdict.cases >= rows
    assert verdict.share >= bar, "\n".join(verdict.misses)
    if name == "phones":
        assert not verdict.wrong_values, "\n".join(verdict.wrong_values)


def test_phone_cases_come_from_all_over_the_world() -> None:
    countries = set()
    for case in read_cases("phones"):
        if case.expected["e164"]:
            countries.add(phonenumbers.region_code_for_number(phonenumbers.parse(case.expected["e164"])))
    assert len(countries) >= 35


def test_date_time_cases_have_gaps_in_many_zones() -> None:
    cases = read_cases("datetimes")
    gaps = {case.given["timezone"] for case in cases if "IANA" in case.source and not case.expected["value"]}
    assert len(gaps - {None}) >= 12


@pytest.mark.parametrize("raw", NASTY, ids=lambda raw: repr(raw[:12]))
def test_nasty_values_are_empty_and_never_raise(raw: str) -> None:
    for answer in (
        phone.parse_phone(raw, "US"),
        email.normalise_email(raw),
        moment.parse_datetime(raw, None, "Europe/Berlin"),
        moment.parse_date(raw, "%d/%m/%Y"),
    ):
        assert not {field: value for field, value in answer.items() if value is not None and field != "issue"}
    assert country.parse_country(raw) is None


def test_a_value_too_long_says_so() -> None:
    assert "too long" in phone.parse_phone(HUGE, "US")["issue"]
    assert "too long" in email.normalise_email(HUGE)["issue"]
    assert "too long" in moment.parse_datetime(HUGE, None, None)["issue"]


@given(TEXTS, st.sampled_from([None, "US", "DE", "GB", "MX", "IT", "xx", ""]))
@settings(max_examples=300, deadline=None)
def test_a_phone_is_valid_or_empty(raw: str, region: str | None) -> None:
    answer = phone.parse_phone(raw, region)
    assert tuple(answer) == phone.FIELDS
    assert in_e164(answer["e164"]) and in_e164(answer["second_e164"])
    assert (answer["e164"] is None) == (answer["phone_type"] is None)
    if raw.strip():
        assert (answer["e164"] is None) == (answer["issue"] is not None)
    assert answer["second_e164"] is None or answer["second_e164"] != answer["e164"]
    if answer["e164"]:  # stable: a clean number is its own clean form, whatever the region
        assert phone.parse_phone(answer["e164"], region)["e164"] == answer["e164"]


@given(TEXTS)
@settings(max_examples=300, deadline=None)
def test_an_email_is_an_address_or_empty(raw: str) -> None:
    answer = email.normalise_email(raw)
    assert tuple(answer) == email.FIELDS
    if answer["email"]:
        assert email.normalise_email(answer["email"])["email"] == answer["email"]
        assert answer["match_key"] == answer["match_key"].lower()
        assert answer["email"].rpartition("@")[2] == answer["domain"]
    else:
        assert not any(answer[field] for field in email.FIELDS if field != "issue")
        assert answer["issue"] is not None or not raw.strip()


@given(TEXTS)
@settings(max_examples=300, deadline=None)
def test_a_country_is_an_assigned_code_or_empty(raw: str) -> None:
    answer = country.parse_country(raw)
    assert answer is None or answer == "XK" or pycountry.countries.get(alpha_2=answer)


@given(
    TEXTS,
    st.sampled_from([None, *moment.NAMED_FORMATS, "%d/%m/%Y", "%Q", "%"]),
    st.sampled_from([None, "Asia/Tokyo", "x"]),
)
@settings(max_examples=400, deadline=None)
def test_a_moment_has_a_value_or_an_issue(raw: str, date_format: str | None, timezone: str | None) -> None:
    for answer in (moment.parse_datetime(raw, date_format, timezone), moment.parse_date(raw, date_format)):
        assert tuple(answer) == moment.FIELDS
        assert answer["value"] or answer["issue"] or not moment._plain(raw)


def test_the_latest_birth_lies_ahead() -> None:
    """When this fails, move LATEST_BIRTH on: it is a constant, so that answers do not depend on the day."""
    assert date.today() + timedelta(days=365) < moment.LATEST_BIRTH


def test_calling_codes_agree_with_the_library() -> None:
    rows = [(int(row["calling_code"]), row["country"], row["is_main"] == "true") for row in read_seed("calling_codes")]
    of_library = {
        (code, region, region == regions[0])
        for code, regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items()
        for region in regions
        if region == "XK" or pycountry.countries.get(alpha_2=region)
    }
    assert set(rows) == of_library
    assert rows == sorted(rows)


@pytest.mark.parametrize(
    "rows",
    [
        *map(read_seed, ("country_aliases", "disposable_domains", "free_mail_domains", "role_mailboxes")),
        *map(read_words, ("phone_migrations", "phone_words")),
    ],
    ids=lambda rows: next(iter(rows[0])),
)
def test_lists_of_values_are_sorted_and_without_repeats(rows: list[dict[str, str]]) -> None:
    cells = [list(row.values()) for row in rows]
    assert cells == sorted(cells)
    keys = [tuple(row[:2]) if "old_number" in rows[0] else row[0] for row in cells]
    assert len(keys) == len(set(keys))


def test_every_alias_is_an_assigned_country() -> None:
    assert not [row for row in read_seed("country_aliases") if country.parse_country(row["country"]) != row["country"]]
