"""The truth: households, people and companies, each drawn from its own seeded stream.

Each household and company draws from a stream seeded by (seed, kind, number) as text; no time of day and no
hash() is involved. A larger world begins with the same people, only their employers differ.
"""

from __future__ import annotations

import random
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from faker import Generator
from faker.factory import Factory

from sandbox.places import COUNTRY_OF, LOCALES, Address, make_address, make_phone, make_town

Claim = Callable[[str], bool]  # True when the value was free and is now taken

FREE_MAIL = {
    "US": (
        "gmail.com",
        "gmail.com",
        "gmail.com",
        "yahoo.com",
        "hotmail.com",
        "outlook.com",
        "icloud.com",
        "aol.com",
    ),
    "GB": ("gmail.com", "gmail.com", "hotmail.co.uk", "yahoo.co.uk", "btinternet.com", "outlook.com"),
    "DE": ("gmail.com", "gmx.de", "web.de", "t-online.de", "googlemail.com", "outlook.de"),
    "FR": ("gmail.com", "orange.fr", "free.fr", "hotmail.fr", "laposte.net", "wanadoo.fr"),
    "NL": ("gmail.com", "ziggo.nl", "kpnmail.nl", "hotmail.com", "outlook.com"),
    "ES": ("gmail.com", "hotmail.es", "yahoo.es", "outlook.es"),
    "MX": ("gmail.com", "hotmail.com", "yahoo.com.mx", "outlook.com"),
}
_TOP_LEVEL = {
    "US": ".com",
    "GB": ".co.uk",
    "DE": ".de",
    "FR": ".fr",
    "NL": ".nl",
    "ES": ".es",
    "MX": ".com.mx",
}
_LEGAL_FORMS = {
    "US": ("Inc", "Inc.", "LLC", "Corp.", "Co."),
    "GB": ("Ltd", "Limited", "PLC", "LLP"),
    "DE": ("GmbH", "GmbH & Co. KG", "AG", "e.K."),
    "FR": ("SARL", "SAS", "SA"),
    "NL": ("B.V.", "N.V.", "VOF"),
    "ES": ("S.L.", "S.A."),
    "MX": ("S.A. de C.V.", "S. de R.L. de C.V."),
}
_TRADES = {
    "US": (
        "Logistics",
        "Supply",
        "Consulting",
        "Group",
        "Foods",
        "Systems",
        "Construction",
        "Health",
        "Design",
    ),
    "GB": ("Services", "Consulting", "Holdings", "Foods", "Engineering", "Partners", "Design"),
    "DE": ("Logistik", "Maschinenbau", "Handel", "Beratung", "Technik", "Bau"),
    "FR": ("Conseil", "Distribution", "Transports", "Bâtiment", "Industrie"),
    "NL": ("Logistiek", "Techniek", "Advies", "Bouw", "Groothandel"),
    "ES": ("Servicios", "Logística", "Construcciones", "Consultores"),
    "MX": ("Servicios", "Distribuidora", "Construcciones", "Comercial"),
}
_MAILBOXES = ("info", "sales", "office", "contact", "billing", "accounts", "hello", "support")
_EMPLOYED_SHARE = 0.45
_MOVED_SHARE = 0.18
_OLD_MAILBOX_SHARE = 0.20
_HOUSEHOLD_SIZES = {1: 0.56, 2: 0.27, 3: 0.09, 4: 0.06, 5: 0.02}
_SAME_NAME_SHARE = 0.03  # a child with the given name of its parent, Jr where the country writes it


@dataclass
class Company:
    """A company; `name` with its legal form, `short_name` without."""

    entity_id: str
    country: str
    name: str
    short_name: str
    domain: str
    mailbox: str
    phone: str
    address: Address

    def as_row(self) -> dict:
        """This company as plain values, for JSON."""
        return {**vars(self), "address": vars(self.address)}


@dataclass
class Person:
    """A person as things are now, with what used to be true beside it. Empty text where there is nothing."""

    entity_id: str
    country: str
    locale: str
    sex: str
    given_name: str
    family_name: str
    birth_date: str
    address: Address
    middle_name: str = ""
    maiden_name: str = ""
    name_suffix: str = ""
    household_id: str = ""
    household_size: int = 1
    email: str = ""
    old_email: str = ""
    family_email: str = ""
    work_email: str = ""
    mobile: str = ""
    family_phone: str = ""
    work_phone: str = ""
    extension: str = ""
    company_id: str = ""
    company_name: str = ""
    company_short_name: str = ""
    company_domain: str = ""
    company_mailbox: str = ""
    job_title: str = ""
    old_address: Address | None = None

    def as_row(self) -> dict:
        """This person as plain values, for JSON."""
        # Not dataclasses.asdict: it copies deeply, which took a fifth of the run time.
        old = vars(self.old_address) if self.old_address else None
        return {**vars(self), "address": vars(self.address), "old_address": old}


def person_from(row: dict) -> Person:
    """The person that `Person.as_row` wrote down."""
    row = dict(row)
    row["address"] = Address(**row["address"])
    row["old_address"] = Address(**row["old_address"]) if row["old_address"] else None
    return Person(**row)


def company_from(row: dict) -> Company:
    """The company that `Company.as_row` wrote down."""
    return Company(**{**row, "address": Address(**row["address"])})


def ascii_text(text: str, german: bool = False) -> str:
    """`text` without diacritics; `german` writes ä as ae."""
    if german:
        for letter, pair in (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("Ä", "Ae"), ("Ö", "Oe"), ("Ü", "Ue")):
            text = text.replace(letter, pair)
    text = text.replace("ß", "ss").replace("ø", "o").replace("æ", "ae").replace("œ", "oe")
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()


def slug(text: str, country: str = "") -> str:
    """`text` as it may stand in a mailbox or domain: small letters and digits."""
    return re.sub(r"[^a-z0-9]", "", ascii_text(text, german=country == "DE").lower())


class Names:
    """One Faker generator per locale, each drawing from the random stream it is handed."""

    def __init__(self) -> None:
        self._generators: dict[str, Generator] = {locale: Factory.create(locale) for locale in LOCALES}

    def of(self, locale: str, rng: random.Random) -> Generator:
        generator = self._generators[locale]
        generator.random = rng
        return generator


def pick_locale(rng: random.Random) -> str:
    return rng.choices(list(LOCALES), list(LOCALES.values()))[0]


def family_name(names: Generator, country: str) -> str:
    """A family name; two of them in Spain and Mexico."""
    if country in ("ES", "MX"):
        return f"{names.last_name()} {names.last_name()}"
    return names.last_name()


def make_company(seed: int, number: int, names: Names, claim: Claim) -> Company:
    """Company `number` (from 1) of the world with this seed."""
    rng = random.Random(f"{seed}/company/{number}")
    # The first companies cover every locale, so that nobody works abroad in a small world.
    locale = list(LOCALES)[number - 1] if number <= len(LOCALES) else pick_locale(rng)
    country, fake = COUNTRY_OF[locale], names.of(locale, rng)
    trade = rng.choice(_TRADES[country])
    short = rng.choice(
        (
            f"{fake.last_name()} {trade}",
            f"{fake.last_name()} & {fake.last_name()}",
            f"{fake.last_name()} {trade}",
        )
    )
    domain = base = slug(short, country)
    suffix = 1
    while not claim(domain + _TOP_LEVEL[country]):
        suffix += 1
        domain = f"{base}{suffix}"
    town = make_town(country, rng)
    return Company(
        entity_id=f"C{number:05d}",
        country=country,
        name=f"{short} {rng.choice(_LEGAL_FORMS[country])}",
        short_name=short,
        domain=domain + _TOP_LEVEL[country],
        mailbox=f"{rng.choice(_MAILBOXES)}@{domain}{_TOP_LEVEL[country]}",
        phone=make_phone(country, rng, mobile=False, town=town),
        address=make_address(country, rng, fake, town),
    )


def make_household(
    seed: int,
    number: int,
    first_person: int,
    largest: int,
    names: Names,
    employers: dict[str, list[Company]],
    claim: Claim,
) -> list[Person]:
    """The members of household `number`, entity ids from `first_person` on, at most `largest` of them."""
    rng = random.Random(f"{seed}/household/{number}")
    locale = pick_locale(rng)
    country, fake = COUNTRY_OF[locale], names.of(locale, rng)
    size = min(largest, rng.choices(list(_HOUSEHOLD_SIZES), list(_HOUSEHOLD_SIZES.values()))[0])
    town = make_town(country, rng)
    address = make_address(country, rng, fake, town)
    surname = family_name(fake, country)
    landline = make_phone(country, rng, mobile=False, town=town)
    head_birth = date(rng.randint(1938, 1999 if size < 3 else 1982), 1, 1) + timedelta(days=rng.randint(0, 364))
    members: list[Person] = []
    for place in range(size):
        entity_id = f"P{first_person + place:06d}"
        person = _make_member(rng, fake, locale, surname, head_birth, entity_id, address, members)
        person.household_id, person.household_size = f"H{number:06d}", size
        if size > 1:
            person.family_phone = landline
        person.mobile = make_phone(country, rng, mobile=True, town=town)
        _move(person, rng, fake)
        _give_mailboxes(person, rng, fake, claim)
        members.append(person)
    if size > 1:
        mailbox = _free_mailbox([f"family.{slug(surname)}", f"the{slug(surname)}s"], country, rng, claim)
        for person in members:
            person.family_email = mailbox
    # Its own stream: who there is to work for depends on the size of the world, the people do not.
    rng = random.Random(f"{seed}/household/{number}/employment")
    fake = names.of(locale, rng)
    for person in members:
        if rng.random() < _EMPLOYED_SHARE:
            _employ(person, rng, fake, employers, claim)
    return members


def _make_member(
    rng: random.Random,
    fake: Generator,
    locale: str,
    surname: str,
    head_birth: date,
    entity_id: str,
    address: Address,
    members: list[Person],
) -> Person:
    """The next member beside `members`: first the head, then the partner, then children of age."""
    place = len(members)
    sex = rng.choice("mf") if place != 1 else {"m": "f", "f": "m"}[members[0].sex]
    given = fake.first_name_male() if sex == "m" else fake.first_name_female()
    country = COUNTRY_OF[locale]
    family, maiden, suffix = surname, "", ""
    if place == 0:
        birth = head_birth
    elif place == 1:
        birth = head_birth + timedelta(days=rng.randint(-3000, 3000))
        if country in ("ES", "MX") or rng.random() < 0.25:
            family = family_name(fake, country)  # keeps the own name
        elif sex == "f" and rng.random() < 0.8:
            maiden = family_name(fake, country)
    else:
        birth = min(head_birth + timedelta(days=rng.randint(20 * 365, 36 * 365)), date(2007, 12, 1))
        if rng.random() < _SAME_NAME_SHARE * 3 and sex == members[0].sex:
            given, suffix = members[0].given_name, "Jr" if country == "US" else ""
    middle = ""
    if country in ("US", "GB") and rng.random() < 0.6:
        middle = fake.first_name_male() if sex == "m" else fake.first_name_female()
    return Person(
        entity_id=entity_id,
        country=country,
        locale=locale,
        sex=sex,
        given_name=given,
        family_name=family,
        birth_date=birth.isoformat(),
        address=address,
        middle_name=middle,
        maiden_name=maiden,
        name_suffix=suffix,
    )


def _move(person: Person, rng: random.Random, fake: Generator) -> None:
    if rng.random() < _MOVED_SHARE:
        person.old_address = make_address(person.country, rng, fake)


def _give_mailboxes(person: Person, rng: random.Random, fake: Generator, claim: Claim) -> None:
    person.email = private_email(person, rng, claim)
    if rng.random() < _OLD_MAILBOX_SHARE:
        maiden = person.maiden_name or person.family_name
        person.old_email = private_email(person, rng, claim, maiden)


def private_email(person: Person, rng: random.Random, claim: Claim, family: str = "") -> str:
    """A free-mail address nobody else has, made from the person's name."""
    given = slug(person.given_name, person.country)
    family = slug((family or person.family_name).split(" ")[0], person.country) or "x"
    year = person.birth_date[2:4]
    forms = [
        f"{given}.{family}",
        f"{given}{family}",
        f"{given[:1]}{family}",
        f"{given}_{family}{year}",
        f"{given}{year}",
        f"{family}.{given}",
        f"{given}.{family}{rng.randint(1, 99)}",
    ]
    rng.shuffle(forms)
    return _free_mailbox(forms, person.country, rng, claim)


def _free_mailbox(forms: list[str], country: str, rng: random.Random, claim: Claim) -> str:
    domain = rng.choice(FREE_MAIL[country])
    for form in forms:
        if claim(f"{form}@{domain}"):
            return f"{form}@{domain}"
    while True:
        address = f"{forms[0]}{rng.randint(10, 99999)}@{domain}"
        if claim(address):
            return address


def _employ(
    person: Person, rng: random.Random, fake: Generator, employers: dict[str, list[Company]], claim: Claim
) -> None:
    company = rng.choice(employers[person.country])
    given, family = slug(person.given_name), slug(person.family_name.split(" ")[0]) or "x"
    local = base = rng.choice((f"{given}.{family}", f"{given[:1]}{family}", f"{given}.{family}"))
    suffix = 1
    while not claim(f"{local}@{company.domain}"):
        suffix += 1
        local = f"{base}{suffix}"
    person.company_id, person.company_name = company.entity_id, company.name
    person.company_short_name, person.company_domain = company.short_name, company.domain
    person.company_mailbox, person.work_phone = company.mailbox, company.phone
    person.work_email = f"{local}@{company.domain}"
    person.extension = str(rng.randint(100, 499))
    person.job_title = fake.job()
