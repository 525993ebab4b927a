"""What each system holds of a person or company: the truth, seen through that system's differences.

A record is a dict of text fields: given_name, middle_name, family_name, name_suffix, full_name, email,
email_2, phone, mobile, address (the street line), city, region, postal_code, country, birth_date (ISO or as
typed), company_name, job_title, website; '' where the system has nothing. Rates: sandbox/rates.py.
"""

from __future__ import annotations

import random
from datetime import date

from sandbox.nicknames import NICKNAMES
from sandbox.people import Company, Person, ascii_text
from sandbox.places import COUNTRY_SPELLINGS, US_STATES, Address, abbreviate_street, write_phone
from sandbox.rates import BY_NAME, PHONE_FORMATS, SYSTEMS, Dice

FIELDS = (
    "given_name",
    "middle_name",
    "family_name",
    "name_suffix",
    "full_name",
    "email",
    "email_2",
    "phone",
    "mobile",
    "address",
    "city",
    "region",
    "postal_code",
    "country",
    "birth_date",
    "company_name",
    "job_title",
    "website",
)
FULL_NAME_SYSTEMS = ("erp", "branch_office", "stripe")  # one name cell
MIDDLE_NAME_SYSTEMS = ("legacy_crm",)  # a column of its own; elsewhere it follows the given name
MOBILE_SYSTEMS = ("hubspot", "erp", "branch_office", "legacy_crm", "salesforce")

_PLACEHOLDER_NAMES = (("Test", "Test"), ("Unknown", "Unknown"), ("n/a", "n/a"), ("Customer", "Unknown"))
_PLACEHOLDER_EMAILS = ("test@test.com", "test@test.com", "none@none.com", "n/a", "noemail@noemail.com")
_PLACEHOLDER_PHONES = ("0000000000", "999-999-9999", "1234567890", "n/a", "000-000-0000")
_EMPTY_WORDS = ("n/a", "N/A", "-", "none", "unknown")
# fmt: off
_NEIGHBOURS = dict(
    a="sq", b="vn", c="xv", d="sf", e="wr", f="dg", g="fh", h="gj", i="uo", j="hk", k="jl", l="k", m="n",
    n="bm", o="ip", p="o", q="w", r="et", s="ad", t="ry", u="yi", v="cb", w="qe", x="zc", y="tu", z="x",
)
# fmt: on
_TITLES = {
    "US": {"m": ("Mr", "Dr."), "f": ("Mrs", "Ms", "Dr.")},
    "GB": {"m": ("Mr", "Dr"), "f": ("Mrs", "Ms", "Dr")},
    "DE": {"m": ("Herr", "Herr Dr."), "f": ("Frau", "Frau Dr.")},
    "FR": {"m": ("M.",), "f": ("Mme", "Mlle")},
    "NL": {"m": ("Dhr.",), "f": ("Mevr.",)},
    "ES": {"m": ("D.", "Sr."), "f": ("Dña.", "Sra.")},
    "MX": {"m": ("Sr.", "Ing."), "f": ("Sra.", "Lic.")},
}  # fmt: skip
_MAIL_SLIPS = {"gmail.com": "gmial.com", "hotmail.com": "hotmial.com", "yahoo.com": "yaho.com"}


def has(name: str, system: str) -> bool:
    """Whether `system` has the field that difference `name` is about."""
    return BY_NAME[name].rates[SYSTEMS.index(system)] is not None


def slip(text: str, rng: random.Random) -> str:
    """`text` with one slip of the keyboard: two letters exchanged, one lost, doubled or hit beside."""
    places = [index for index, letter in enumerate(text) if index and letter.isalpha()]
    if len(places) < 2:
        return text
    at = rng.choice(places[:-1])
    kind = rng.randrange(4)
    if kind == 0 and text[at] != text[at + 1]:
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    if kind == 1:
        return text[:at] + text[at + 1 :]
    if kind == 2:
        return text[:at] + text[at] + text[at:]
    wrong = rng.choice(_NEIGHBOURS.get(text[at].lower(), "e"))
    return text[:at] + wrong + text[at + 1 :]


def person_record(person: Person, dice: Dice) -> dict[str, str]:
    """The record of `person` in the dice's system, differences applied."""
    record = dict.fromkeys(FIELDS, "")
    _name(record, person, dice)
    _email(record, person, dice)
    _phones(record, person, dice)
    _address(record, person, dice)
    _country(record, person.country, dice)
    _birth_date(record, person, dice)
    _company(record, person, dice)
    _letters(record, dice)
    return record


def company_record(company: Company, dice: Dice) -> dict[str, str]:
    """The record of `company` as a customer: its name in the name column, its mailbox and switchboard."""
    record = dict.fromkeys(FIELDS, "")
    short = dice.roll("legal_form_dropped")
    record["full_name"] = record["company_name"] = company.short_name if short else company.name
    if not dice.roll("missing_email"):
        record["email"] = company.mailbox
    if not dice.roll("missing_phone"):
        record["phone"] = write_phone(company.phone, dice.choose(PHONE_FORMATS))
    write_address(record, company.address, dice.system)
    _country(record, company.country, dice)
    record["website"] = f"www.{company.domain}"
    return record


def mailbox_contact(company: Company, dice: Dice) -> dict[str, str]:
    """A contact that is a mailbox of `company` and no person."""
    record = dict.fromkeys(FIELDS, "")
    record["email"] = company.mailbox
    record["company_name"] = company.short_name if dice.roll("legal_form_dropped") else company.name
    if dice.rng.random() < 0.3:
        record["given_name"] = company.mailbox.split("@")[0].capitalize()
    if dice.rng.random() < 0.5:
        record["phone"] = write_phone(company.phone, dice.choose(PHONE_FORMATS))
    record["website"] = f"https://{company.domain}"
    _country(record, company.country, dice)
    return record


def _name(record: dict[str, str], person: Person, dice: Dice) -> None:
    rng, system = dice.rng, dice.system
    given, family = person.given_name, person.family_name
    if person.maiden_name and dice.roll("maiden_name"):
        family = person.maiden_name
    if person.country in ("ES", "MX") and dice.roll("second_family_name_dropped"):
        family = family.split(" ")[0]
    nicknames = NICKNAMES.get(given)
    if nicknames and dice.roll("nickname"):
        given = rng.choice(nicknames)
    elif dice.roll("initial_only"):
        given = given[0] + rng.choice((".", ""))
    if dice.roll("typo_given_name"):
        given = slip(given, rng)
    if dice.roll("typo_family_name"):
        family = slip(family, rng)
    if not (given + family).isascii() and dice.roll("diacritics_lost"):
        german = person.country == "DE" and rng.random() < 0.5
        given, family = ascii_text(given, german), ascii_text(family, german)
    middle = ""
    if person.middle_name and dice.roll("middle_name_written"):
        middle = person.middle_name if rng.random() < 0.4 else person.middle_name[0] + rng.choice((".", ""))
    if dice.roll("placeholder_name"):
        given, family, middle = *rng.choice(_PLACEHOLDER_NAMES), ""
    if dice.roll("missing_given_name"):
        given = middle = ""
    if has("missing_family_name", system) and dice.roll("missing_family_name"):
        family = ""
    if has("swapped_names", system) and dice.roll("swapped_names"):
        given, family = family, given
    suffix = person.name_suffix
    if system in MIDDLE_NAME_SYSTEMS:
        record["middle_name"], record["name_suffix"] = middle, suffix
    else:
        given = f"{given} {middle}".strip()
        family = f"{family} {suffix}".strip() if family and suffix else family
    record["given_name"], record["family_name"] = given, family
    if system in FULL_NAME_SYSTEMS:
        first = dice.roll("family_name_first")
        title = rng.choice(_TITLES[person.country][person.sex]) if dice.roll("title_in_name") else ""
        record["full_name"] = write_full_name(given, family, first, title)


def write_full_name(given: str, family: str, family_first: bool, title: str = "") -> str:
    """One cell of both names: `Family, Given` or `Given Family`, a title before it."""
    if family_first and given and family:
        return f"{family}, {title} {given}" if title else f"{family}, {given}"
    return " ".join(part for part in (title, given, family) if part)


def _email(record: dict[str, str], person: Person, dice: Dice) -> None:
    rng = dice.rng
    if dice.roll("missing_email"):
        record["email"] = _empty_word(dice)
        return
    if has("placeholder_email", dice.system) and dice.roll("placeholder_email"):
        record["email"] = rng.choice(_PLACEHOLDER_EMAILS)
        return
    if person.company_id and dice.roll("role_mailbox_email"):
        record["email"] = person.company_mailbox
        return
    if person.family_email and dice.roll("family_email"):
        record["email"] = person.family_email
        return
    email = person.email
    if person.work_email and dice.roll("work_email"):
        email = person.work_email
    elif person.old_email and dice.roll("old_email"):
        email = person.old_email
    if has("second_email", dice.system) and dice.roll("second_email"):
        others = [other for other in (person.email, person.work_email, person.old_email) if other and other != email]
        record["email_2"] = rng.choice(others) if others else ""
    if dice.roll("typo_email"):
        local, domain = email.split("@")
        wrong = _MAIL_SLIPS.get(domain) if rng.random() < 0.4 else None
        email = f"{local}@{wrong}" if wrong else f"{slip(local, rng)}@{domain}"
    record["email"] = email


def _phones(record: dict[str, str], person: Person, dice: Dice) -> None:
    if has("missing_mobile", dice.system) and not dice.roll("missing_mobile"):
        record["mobile"] = write_phone(person.mobile, dice.choose(PHONE_FORMATS))
    if dice.roll("missing_phone"):
        record["phone"] = _empty_word(dice)
        return
    if dice.roll("placeholder_phone"):
        record["phone"] = dice.rng.choice(_PLACEHOLDER_PHONES)
        return
    extension = ""
    if person.work_phone and dice.roll("work_phone"):
        number = person.work_phone
        if dice.roll("phone_extension"):
            extension = dice.rng.choice(("x{}", "ext. {}", "ext {}")).format(person.extension)
    else:
        number = person.mobile
        if person.family_phone and dice.roll("family_phone"):
            number = person.family_phone
        if dice.roll("typo_phone"):
            at = dice.rng.randrange(len(number) - 6, len(number))
            number = number[:at] + str((int(number[at]) + dice.rng.randint(1, 9)) % 10) + number[at + 1 :]
    record["phone"] = write_phone(number, dice.choose(PHONE_FORMATS), extension)


def _empty_word(dice: Dice) -> str:
    return dice.rng.choice(_EMPTY_WORDS) if dice.roll("na_for_empty") else ""


def _address(record: dict[str, str], person: Person, dice: Dice) -> None:
    rng, system = dice.rng, dice.system
    if dice.roll("missing_address"):
        return
    if has("placeholder_address", system) and dice.roll("placeholder_address"):
        record["address"] = rng.choice(("unknown", "n/a", "xxx"))
        return
    address = person.address
    if person.old_address and dice.roll("old_address"):
        address = person.old_address
    if has("unit_missing", system) and address.unit and dice.roll("unit_missing"):
        address = Address(**{**vars(address), "unit": ""})
    write_address(record, address, system)
    if not record["address"]:  # this system asks for the postal code only
        if dice.roll("missing_postal_code"):
            record["postal_code"] = ""
        return
    shorter = abbreviate_street(record["address"], address.country)
    if shorter and dice.roll("street_abbreviated"):
        record["address"] = shorter
    if dice.roll("typo_street"):
        record["address"] = slip(record["address"], rng)
    if dice.roll("missing_postal_code"):
        record["postal_code"] = ""
    if address.country == "US" and dice.roll("region_spelled_out"):
        record["region"] = US_STATES[address.region]


def write_address(record: dict[str, str], address: Address, system: str) -> None:
    """Fill the address fields of `record` as `system` keeps them (event sign-ups: postal code only)."""
    record["postal_code"] = address.postal_code
    if system == "event_signups":
        return
    record["address"] = address.line()
    record["city"], record["region"] = address.city, address.region


def _country(record: dict[str, str], country: str, dice: Dice) -> None:
    if dice.roll("missing_country"):
        return
    usual = COUNTRY_SPELLINGS[country][0] if dice.system == "hubspot" else country
    if dice.roll("country_spelled_differently"):
        usual = dice.rng.choice([spelling for spelling in COUNTRY_SPELLINGS[country] if spelling != usual])
    record["country"] = usual


def _birth_date(record: dict[str, str], person: Person, dice: Dice) -> None:
    if not has("missing_birth_date", dice.system) or dice.roll("missing_birth_date"):
        return
    rng, birth = dice.rng, date.fromisoformat(person.birth_date)
    if dice.roll("placeholder_birth_date"):
        birth = date(1900, 1, 1)
    elif dice.roll("typo_birth_date"):
        birth = birth.replace(year=birth.year + rng.choice((-10, -1, 1)), day=min(birth.day, 28))
    elif birth.day <= 12 and birth.day != birth.month and dice.roll("birth_date_swapped"):
        birth = birth.replace(day=birth.month, month=birth.day)
    record["birth_date"] = birth.isoformat()
    if has("birth_date_free_format", dice.system) and dice.roll("birth_date_free_format"):
        order = "%m/%d/%Y" if person.country == "US" else "%d/%m/%Y"
        record["birth_date"] = birth.strftime(order)


def _company(record: dict[str, str], person: Person, dice: Dice) -> None:
    if not person.company_id or dice.roll("missing_company"):
        return
    short = dice.roll("legal_form_dropped")
    record["company_name"] = person.company_short_name if short else person.company_name
    record["job_title"] = person.job_title
    record["website"] = f"www.{person.company_domain}"


def _letters(record: dict[str, str], dice: Dice) -> None:
    fields = ("given_name", "middle_name", "family_name", "full_name", "address", "city")
    if dice.roll("upper_case"):
        for field in fields:
            record[field] = record[field].upper()
    elif has("lower_case", dice.system) and dice.roll("lower_case"):
        for field in fields:
            record[field] = record[field].lower()
    if dice.roll("stray_spaces"):
        field = "full_name" if record["full_name"] else "family_name"
        if record[field]:
            spaced = record[field].replace(" ", "  ")
            record[field] = dice.rng.choice((f" {spaced}", f"{spaced} ", f"{spaced}  "))
