"""How often each realistic difference happens in the sandbox: one table, fixed before any matching is tuned.

A rate is a share of the values named in `of`, between 0 and 1, one per source system; None means that
the system has no such field. `python -m sandbox.rates` prints the table of docs/sandbox_world.md
(a test keeps page and code equal, another measures every rate in a generated world).
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass

SYSTEMS = ("hubspot", "erp", "event_signups", "branch_office", "legacy_crm", "salesforce", "stripe")
# The object that holds the people of each system; what else it has is in the modules named in world.DOMAINS.
OBJECTS = {
    "hubspot": "contacts",
    "erp": "customers",
    "event_signups": "people",
    "branch_office": "people",
    "legacy_crm": "people",
    "salesforce": "contacts",
    "stripe": "customers",
}
# Every object whose records are customers: persons, or companies as customers.
PERSON_OBJECTS = frozenset(OBJECTS.items()) | {("salesforce", "leads"), ("erp", "contacts")}


@dataclass(frozen=True)
class Difference:
    """One kind of difference: its rate in each of SYSTEMS, of what it is a share, and what it does."""

    name: str
    rates: tuple[float | None, ...]
    of: str
    effect: str

    def rate(self, system: str) -> float:
        return self.rates[SYSTEMS.index(system)] or 0.0


_PERSON_RECORD = "records of persons"

# fmt: off
DIFFERENCES: tuple[Difference, ...] = (
    # ---------- who is where
    Difference("person_is_known", (0.75, 0.55, 0.18, 0.25, 0.30, 0.40, 0.3), "people",
               "the system has a record of the person"),
    Difference("company_is_known", (None, 0.70, None, 0.10, None, None, 0.3), "companies",
               "a company is a customer itself"),
    Difference("role_mailbox_contact", (0.25, None, None, None, None, None, None), "companies",
               "a contact that is nobody: info@, sales@, billing@ of a company"),
    Difference("duplicate_in_system", (0.05, 0.03, 0.06, 0.04, 0.05, 0.05, 0.08),
               "people and companies with a record there",
               "a second record in the same system, with differences of its own"),
    Difference("bulk_import", (0.08, 0.10, None, None, 0.20, 0.08, None), "records",
               "created and changed at the one instant of an import (cursor ties)"),
    # ---------- names
    Difference("maiden_name", (0.15, 0.30, 0.10, 0.30, 0.45, 0.25, 0.12),
               "records of married persons who changed their name",
               "the name before the marriage"),
    Difference("second_family_name_dropped", (0.45, 0.20, 0.50, 0.20, 0.25, 0.45, 0.50),
               "records with two family names",
               "García López becomes García"),
    Difference("nickname", (0.20, 0.06, 0.18, 0.06, 0.08, 0.20, 0.18), "given names that have one", "William is Bill"),
    Difference("initial_only", (0.02, 0.06, 0.03, 0.08, 0.05, 0.03, 0.03), "given names not replaced by a nickname",
               "J. for John"),
    Difference("middle_name_written", (0.05, 0.25, 0.03, 0.30, 0.50, 0.05, 0.03),
               "records of persons with a middle name",
               "middle name or initial, in its column or behind the given name"),
    Difference("typo_given_name", (0.015, 0.010, 0.020, 0.015, 0.010, 0.015, 0.020), "given names",
               "one slip of the keyboard"),
    Difference("typo_family_name", (0.015, 0.015, 0.020, 0.020, 0.015, 0.015, 0.020), "family names",
               "one slip of the keyboard"),
    Difference("diacritics_lost", (0.20, 0.35, 0.25, 0.15, 0.45, 0.20, 0.25), "names with diacritics",
               "Müller is Muller"),
    Difference("swapped_names", (0.015, None, 0.020, None, 0.010, 0.015, None), _PERSON_RECORD,
               "given and family name in each other's column"),
    Difference("family_name_first", (None, 0.45, None, 0.70, None, None, 0.02), _PERSON_RECORD,
               "`Family, Given` in one cell"),
    Difference("title_in_name", (None, 0.08, None, 0.10, None, None, 0.02), _PERSON_RECORD,
               "Mr, Dr., Frau, Mme before the name"),
    Difference("missing_given_name", (0.04, 0.01, 0.01, 0.03, 0.03, 0.04, 0.01), _PERSON_RECORD, "empty"),
    Difference("missing_family_name", (0.03, None, 0.01, None, 0.01, 0.03, None), _PERSON_RECORD, "empty"),
    Difference("placeholder_name", (0.004, 0.002, 0.006, 0.004, 0.004, 0.004, 0.006), _PERSON_RECORD,
               "Test, Unknown, n/a"),
    Difference("upper_case", (0.03, 0.25, 0.02, 0.30, 0.12, 0.03, 0.02), _PERSON_RECORD,
               "names and address in capitals"),
    Difference("lower_case", (0.04, None, 0.08, None, 0.01, 0.04, 0.08), _PERSON_RECORD,
               "names and address in small letters"),
    Difference("stray_spaces", (0.02, 0.04, 0.02, 0.06, 0.04, 0.02, 0.02), _PERSON_RECORD,
               "blanks around or doubled in a name"),
    # ---------- e-mail
    Difference("missing_email", (0.03, 0.35, 0.01, 0.45, 0.30, 0.03, 0.02), "records of persons and company customers",
               "empty"),
    Difference("placeholder_email", (None, 0.020, 0.010, 0.030, 0.020, None, None), "records with an e-mail",
               "test@test.com, n/a, none@none.com"),
    Difference("role_mailbox_email", (0.01, 0.03, 0.01, 0.02, 0.02, 0.01, 0.01),
               "records with an e-mail, person employed",
               "info@ of the employer"),
    Difference("family_email", (0.04, 0.08, 0.03, 0.08, 0.07, 0.04, 0.03),
               "records with an e-mail, household of two or more",
               "one mailbox of the household"),
    Difference("work_email", (0.50, 0.25, 0.65, 0.10, 0.30, 0.50, 0.65), "records with an e-mail, person employed",
               "the employer's address, not the private one"),
    Difference("old_email", (0.10, 0.20, 0.03, 0.20, 0.35, 0.10, 0.03),
               "records with an e-mail, person changed address",
               "a private address no longer used"),
    Difference("second_email", (0.10, None, None, None, 0.20, None, None), "records with an e-mail of the person",
               "another address of the person beside the first"),
    Difference("typo_email", (0.010, 0.015, 0.015, 0.025, 0.015, 0.010, 0.015), "records with an e-mail of the person",
               "one slip in the local part, or gmial.com"),
    # ---------- phone
    Difference("missing_phone", (0.40, 0.15, 0.45, 0.20, 0.25, 0.40, 0.5), "records of persons and company customers",
               "empty"),
    Difference("placeholder_phone", (0.010, 0.020, 0.010, 0.020, 0.020, 0.010, 0.010), "records with a phone",
               "0000000000, 999-999-9999, n/a"),
    Difference("family_phone", (0.20, 0.30, 0.05, 0.40, 0.35, 0.20, 0.05),
               "records with a phone, household of two or more",
               "the landline of the household"),
    Difference("work_phone", (0.25, 0.15, 0.30, 0.05, 0.15, 0.25, 0.30), "records with a phone, person employed",
               "the employer's switchboard, often with an extension"),
    Difference("phone_extension", (0.60, 0.60, 0.30, 0.50, 0.50, 0.60, 0.30), "switchboard numbers",
               "x204, ext. 204 behind it"),
    Difference("typo_phone", (0.010, 0.015, 0.015, 0.020, 0.015, 0.010, 0.015),
               "records with a phone of the person or household",
               "one digit wrong"),
    Difference("phone_e164", (0.40, 0.10, 0.15, 0.02, 0.05, 0.40, 0.15), "numbers written", "+13125550123"),
    Difference("phone_international", (0.15, 0.10, 0.15, 0.08, 0.10, 0.15, 0.15), "numbers written", "+1 312-555-0123"),
    Difference("phone_national", (0.30, 0.45, 0.40, 0.55, 0.45, 0.30, 0.40), "numbers written", "(312) 555-0123"),
    Difference("phone_dots", (0.05, 0.10, 0.10, 0.15, 0.10, 0.05, 0.10), "numbers written", "312.555.0123"),
    Difference("phone_digits", (0.10, 0.25, 0.20, 0.20, 0.30, 0.10, 0.20), "numbers written", "3125550123"),
    Difference("missing_mobile", (0.60, 0.55, None, 0.50, 0.45, 0.60, None), _PERSON_RECORD, "empty"),
    # ---------- address
    Difference("missing_address", (0.45, 0.03, 0.30, 0.08, 0.15, 0.45, 0.25), _PERSON_RECORD,
               "street, city, region and postal code empty"),
    Difference("placeholder_address", (0.003, 0.004, None, 0.004, 0.004, 0.003, 0.001), "records with an address",
               "unknown, n/a"),
    Difference("old_address", (0.25, 0.20, 0.10, 0.25, 0.50, 0.25, 0.10), "records with an address, person moved",
               "the address before the last move"),
    Difference("typo_street", (0.010, 0.015, None, 0.025, 0.020, 0.010, 0.01), "records with an address", "one slip"),
    Difference("street_abbreviated", (0.35, 0.40, None, 0.50, 0.45, 0.35, 0.40), "streets that can be",
               "Street is St, Straße is Str."),
    Difference("unit_missing", (0.25, 0.10, None, 0.10, 0.20, 0.25, 0.15), "addresses with a flat or unit", "left out"),
    Difference("missing_postal_code", (0.08, 0.02, 0.03, 0.04, 0.06, 0.08, 0.03), "records with an address", "empty"),
    Difference("region_spelled_out", (0.30, 0.05, None, 0.10, 0.15, 0.30, 0.05), "US addresses", "Illinois for IL"),
    Difference("missing_country", (0.25, 0.02, 0.10, 0.40, 0.30, 0.25, 0.10), "records", "empty"),
    Difference("country_spelled_differently", (0.30, 0.12, 0.25, 0.20, 0.30, 0.30, 0.25), "records with a country",
               "USA, United States, U.S.A.; Deutschland, GER; UK, England"),
    # ---------- birth date, company
    Difference("missing_birth_date", (0.80, 0.55, None, 0.35, 0.40, 0.7, None), _PERSON_RECORD, "empty"),
    Difference("placeholder_birth_date", (0.010, 0.020, None, 0.030, 0.030, 0.01, None), "records with a birth date",
               "1900-01-01"),
    Difference("birth_date_swapped", (0.010, 0.005, None, 0.015, 0.010, 0.01, None), "birth dates with a day up to 12",
               "day and month exchanged"),
    Difference("typo_birth_date", (0.005, 0.005, None, 0.010, 0.010, 0.005, None), "records with a birth date",
               "year off by one or ten"),
    Difference("birth_date_free_format", (0.10, None, None, None, None, None, None), "records with a birth date",
               "01/31/1980 where the rest is 1980-01-31"),
    Difference("missing_company", (0.15, 0.70, 0.15, 0.80, 0.35, 0.15, 0.80), "records of employed persons", "empty"),
    Difference("legal_form_dropped", (0.40, 0.15, 0.50, 0.30, 0.30, 0.40, 0.2), "records with a company name",
               "Acme for Acme Inc"),
    # ---------- anything
    Difference("na_for_empty", (0.005, 0.010, 0.010, 0.030, 0.020, 0.005, 0.010),
               "records of persons with an empty e-mail or phone",
               "n/a, -, none or unknown instead of nothing"),
)
# fmt: on

BY_NAME = {difference.name: difference for difference in DIFFERENCES}
PHONE_FORMATS = ("phone_e164", "phone_international", "phone_national", "phone_dots", "phone_digits")


class Dice:
    """Rolls the differences of one record and remembers which applied; counts them over all records.

    `counts` maps (system, difference) to [values it could touch, values it touched].
    """

    def __init__(self, system: str, rng: random.Random, counts: Counter | None = None) -> None:
        self.system = system
        self.rng = rng
        self.applied: list[str] = []
        self._eligible = Counter() if counts is None else counts

    def roll(self, name: str) -> bool:
        """True at the rate of difference `name` in this system."""
        rate = BY_NAME[name].rate(self.system)
        hit = self.rng.random() < rate
        self._eligible[self.system, name, "eligible"] += 1
        if hit:
            self._eligible[self.system, name, "applied"] += 1
            self.applied.append(name)
        return hit

    def choose(self, names: tuple[str, ...]) -> str:
        """One of `names`, whose rates in this system sum to 1."""
        point, chosen = self.rng.random(), names[-1]
        for name in names:
            point -= BY_NAME[name].rate(self.system)
            if point < 0:
                chosen = name
                break
        for name in names:
            self._eligible[self.system, name, "eligible"] += 1
        self._eligible[self.system, chosen, "applied"] += 1
        self.applied.append(chosen)
        return chosen


def rates_table() -> str:
    """The table as Markdown, one line per difference, rates in per cent."""

    def percent(rate: float | None) -> str:
        return "-" if rate is None else f"{rate * 100:.10g} %"

    lines = [
        "| difference | " + " | ".join(SYSTEMS) + " | share of | what it does |",
        "|---|" + "---:|" * len(SYSTEMS) + "---|---|",
    ]
    for difference in DIFFERENCES:
        cells = [difference.name, *map(percent, difference.rates), difference.of, difference.effect]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(rates_table(), end="")
