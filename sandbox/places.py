"""Countries of the sandbox: towns, streets, postal codes, phone numbers and the ways people spell them."""

from __future__ import annotations

import random
import re
import string
from dataclasses import dataclass

import phonenumbers
from faker import Generator
from phonenumbers import PhoneNumberFormat

LOCALES = {"en_US": 60, "en_GB": 14, "de_DE": 10, "fr_FR": 8, "nl_NL": 4, "es_MX": 2, "es_ES": 2}
COUNTRY_OF = {locale: locale[-2:] for locale in LOCALES}


@dataclass(frozen=True)
class Town:
    """A town with the start of its postal codes and its telephone area code (without trunk 0)."""

    city: str
    region: str
    postal: str
    area: str


def _towns(text: str) -> tuple[Town, ...]:
    return tuple(Town(*(part.strip() for part in line.split("|"))) for line in text.strip().splitlines())


# Larger towns first: the choice falls off with the rank.
TOWNS: dict[str, tuple[Town, ...]] = {
    "US": _towns("""New York|NY|100|212
        Los Angeles|CA|900|213
        Chicago|IL|606|312
        Houston|TX|770|713
        Phoenix|AZ|850|602
        Philadelphia|PA|191|215
        San Antonio|TX|782|210
        San Diego|CA|921|619
        Dallas|TX|752|214
        Austin|TX|787|512
        Columbus|OH|432|614
        Charlotte|NC|282|704
        Indianapolis|IN|462|317
        Seattle|WA|981|206
        Denver|CO|802|303
        Boston|MA|021|617
        Nashville|TN|372|615
        Detroit|MI|482|313
        Portland|OR|972|503
        Memphis|TN|381|901
        Louisville|KY|402|502
        Milwaukee|WI|532|414
        Albuquerque|NM|871|505
        Tucson|AZ|857|520
        Sacramento|CA|958|916
        Kansas City|MO|641|816
        Atlanta|GA|303|404
        Omaha|NE|681|402
        Raleigh|NC|276|919
        Miami|FL|331|305
        Minneapolis|MN|554|612
        Tampa|FL|336|813
        Cleveland|OH|441|216
        Pittsburgh|PA|152|412
        Cincinnati|OH|452|513
        Boise|ID|837|208
        Richmond|VA|232|804
        Springfield|IL|627|217
        Springfield|MO|658|417
        Springfield|MA|011|413
        Madison|WI|537|608
        Burlington|VT|054|802"""),
    "GB": _towns("""London|Greater London|SW|20
        London|Greater London|SE|20
        London|Greater London|N|20
        Birmingham|West Midlands|B|121
        Manchester|Greater Manchester|M|161
        Leeds|West Yorkshire|LS|113
        Glasgow|Lanarkshire|G|141
        Sheffield|South Yorkshire|S|114
        Bristol|Somerset|BS|117
        Edinburgh|Midlothian|EH|131
        Liverpool|Merseyside|L|151
        Leicester|Leicestershire|LE|116
        Nottingham|Nottinghamshire|NG|115
        Reading|Berkshire|RG|118
        Newcastle upon Tyne|Tyne and Wear|NE|191
        York|North Yorkshire|YO|1904
        Oxford|Oxfordshire|OX|1865
        Cambridge|Cambridgeshire|CB|1223
        Norwich|Norfolk|NR|1603
        Exeter|Devon|EX|1392"""),
    "DE": _towns("""Berlin||10|30
        Hamburg||20|40
        München||80|89
        Köln||50|221
        Frankfurt am Main||60|69
        Stuttgart||70|711
        Düsseldorf||40|211
        Leipzig||04|341
        Dresden||01|351
        Hannover||30|511
        Nürnberg||90|911
        Bremen||28|421
        Göttingen||37|551
        Münster||48|251
        Würzburg||97|931
        Lübeck||23|451
        Freiburg im Breisgau||79|761"""),
    "FR": _towns("""Paris||75|1
        Marseille||13|4
        Lyon||69|4
        Toulouse||31|5
        Nice||06|4
        Nantes||44|2
        Strasbourg||67|3
        Montpellier||34|4
        Bordeaux||33|5
        Lille||59|3
        Rennes||35|2
        Reims||51|3
        Saint-Étienne||42|4
        Dijon||21|3
        Angers||49|2
        Besançon||25|3"""),
    "NL": _towns("""Amsterdam||10|20
        Rotterdam||30|10
        Den Haag||25|70
        Utrecht||35|30
        Eindhoven||56|40
        Groningen||97|50
        Tilburg||50|13
        Breda||48|76
        Nijmegen||65|24
        Haarlem||20|23
        Leiden||23|71"""),
    "ES": _towns("""Madrid|Madrid|28|91
        Barcelona|Barcelona|08|93
        Valencia|Valencia|46|96
        Sevilla|Sevilla|41|95
        Zaragoza|Zaragoza|50|976
        Málaga|Málaga|29|952
        Murcia|Murcia|30|968
        Bilbao|Bizkaia|48|94
        A Coruña|A Coruña|15|981"""),
    "MX": _towns("""Ciudad de México|CDMX|06|55
        Guadalajara|Jalisco|44|33
        Monterrey|Nuevo León|64|81
        Puebla|Puebla|72|222
        Querétaro|Querétaro|76|442
        Mérida|Yucatán|97|999
        León|Guanajuato|37|477"""),
}
_TOWN_WEIGHTS = {country: [1 / (rank + 2) ** 0.6 for rank in range(len(towns))] for country, towns in TOWNS.items()}

# fmt: off
US_STATES = dict(
    AZ="Arizona", CA="California", CO="Colorado", FL="Florida", GA="Georgia", ID="Idaho", IL="Illinois",
    IN="Indiana", KY="Kentucky", MA="Massachusetts", MI="Michigan", MN="Minnesota", MO="Missouri",
    NC="North Carolina", NE="Nebraska", NM="New Mexico", NY="New York", OH="Ohio", OR="Oregon",
    PA="Pennsylvania", TN="Tennessee", TX="Texas", VA="Virginia", VT="Vermont", WA="Washington",
    WI="Wisconsin",
)
# fmt: on

# The first spelling is what a tidy record holds beside the ISO code.
COUNTRY_SPELLINGS = {
    "US": ("United States", "USA", "U.S.A.", "United States of America", "us", "US"),
    "GB": ("United Kingdom", "UK", "England", "Great Britain", "U.K.", "GB"),
    "DE": ("Germany", "Deutschland", "GER", "D", "DEU", "DE"),
    "FR": ("France", "FRANCE", "FRA", "F", "FR"),
    "NL": ("Netherlands", "Nederland", "The Netherlands", "Holland", "NL"),
    "ES": ("Spain", "España", "ESP", "ES"),
    "MX": ("Mexico", "México", "MEX", "MX"),
}

_STREET_TYPES = {
    "US": ("Street", "Avenue", "Road", "Drive", "Lane", "Boulevard", "Court", "Place", "Way"),
    "GB": ("Road", "Street", "Lane", "Close", "Avenue", "Crescent", "Gardens", "Way"),
    "DE": ("straße", "straße", "straße", "weg", "allee", "platz"),
    "NL": ("straat", "straat", "laan", "weg", "plein", "gracht"),
    "FR": ("rue", "rue", "avenue", "boulevard", "place", "chemin", "impasse"),
    "ES": ("Calle", "Calle", "Avenida", "Plaza", "Paseo"),
    "MX": ("Calle", "Avenida", "Avenida", "Calzada", "Privada"),
}
_PLAIN_STEMS = {
    "US": (
        "Main",
        "Oak",
        "Maple",
        "Park",
        "Cedar",
        "Elm",
        "Washington",
        "Lake",
        "Hill",
        "Walnut",
        "2nd",
        "5th",
    ),
    "GB": ("High", "Station", "Church", "Victoria", "Park", "Mill", "Queens", "Manor", "Green"),
    "DE": ("Haupt", "Bahnhof", "Garten", "Schul", "Berg", "Linden", "Goethe", "Schiller"),
    "NL": ("Hoofd", "Kerk", "Dorps", "School", "Molen", "Juliana", "Wilhelmina"),
    "FR": ("de la République", "Victor Hugo", "de l'Église", "Pasteur", "des Lilas", "Jean Jaurès"),
    "ES": ("Mayor", "Real", "de la Constitución", "del Sol", "Nueva"),
    "MX": ("Juárez", "Hidalgo", "Reforma", "Morelos", "Insurgentes", "5 de Mayo"),
}
# fmt: off
_ABBREVIATIONS = {
    "US": (("Street", "St"), ("Avenue", "Ave"), ("Road", "Rd"), ("Drive", "Dr"), ("Lane", "Ln"),
           ("Boulevard", "Blvd"), ("Court", "Ct"), ("Place", "Pl")),
    "GB": (("Road", "Rd"), ("Street", "St"), ("Lane", "Ln"), ("Avenue", "Ave"), ("Crescent", "Cres"),
           ("Gardens", "Gdns")),
    "DE": (("straße", "str."), ("platz", "pl.")),
    "NL": (("straat", "str."),),
    "FR": (("avenue", "av."), ("boulevard", "bd"), ("place", "pl."), ("chemin", "ch.")),
    "ES": (("Calle", "C/"), ("Avenida", "Avda."), ("Plaza", "Pza.")),
    "MX": (("Avenida", "Av."), ("Calzada", "Calz."), ("Privada", "Priv.")),
}
# fmt: on
_NUMBER_LAST = {"DE", "NL", "ES", "MX"}
_UNIT_SHARE = {"US": 0.25, "GB": 0.15, "DE": 0.0, "NL": 0.10, "FR": 0.0, "ES": 0.60, "MX": 0.25}


@dataclass
class Address:
    """One address as its country writes it."""

    house_number: str
    street: str
    unit: str
    city: str
    region: str
    postal_code: str
    country: str

    def line(self) -> str:
        """The street line: number, street and unit in the country's order."""
        if self.country in _NUMBER_LAST:
            line = f"{self.street} {self.house_number}"
            joint = " " if self.country == "NL" else ", "
        else:
            line = f"{self.house_number} {self.street}"
            joint = " " if self.country == "US" else ", "
        return f"{line}{joint}{self.unit}" if self.unit else line


def make_town(country: str, rng: random.Random) -> Town:
    return rng.choices(TOWNS[country], _TOWN_WEIGHTS[country])[0]


def make_address(country: str, rng: random.Random, names: Generator, town: Town | None = None) -> Address:
    """A new address in `country`; the street may carry a family name drawn from `names`."""
    town = town or make_town(country, rng)
    kind = rng.choice(_STREET_TYPES[country])
    stem = rng.choice(_PLAIN_STEMS[country]) if rng.random() < 0.45 else names.last_name()
    if country in ("FR", "ES", "MX"):
        street = f"{kind} {stem}"
    elif country in ("DE", "NL"):
        street = f"{stem}{kind}" if " " not in stem else f"{stem}-{kind.capitalize()}"
    else:
        street = f"{stem} {kind}"
    top = 9899 if country == "US" else 180
    number = str(rng.randint(1, top))
    return Address(
        number, street, _unit(country, rng), town.city, town.region, _postal_code(country, town, rng), country
    )


def _unit(country: str, rng: random.Random) -> str:
    if rng.random() >= _UNIT_SHARE[country]:
        return ""
    number = rng.randint(1, 48)
    if country == "US":
        return rng.choice((f"Apt {number}", f"Apt {number}", f"Unit {number}", f"#{number}"))
    if country == "GB":
        return f"Flat {number}"
    if country == "NL":
        return rng.choice("ABC")
    if country == "ES":
        return f"{rng.randint(1, 8)}º {rng.choice('ABCD')}"
    return f"Int. {number}"


def _postal_code(country: str, town: Town, rng: random.Random) -> str:
    if country == "GB":
        letters = "ABDEFGHJLNPQRSTUWXYZ"
        return f"{town.postal}{rng.randint(1, 19)} {rng.randint(1, 9)}{rng.choice(letters)}{rng.choice(letters)}"
    if country == "NL":
        letters = "ABCDEGHJKLMNPRSTVWXZ"
        return f"{town.postal}{rng.randint(10, 99)} {rng.choice(letters)}{rng.choice(letters)}"
    if country == "FR":
        return f"{town.postal}{rng.randint(0, 9)}00"
    digits = 5 - len(town.postal)
    return town.postal + "".join(rng.choice(string.digits) for _ in range(digits))


def abbreviate_street(line: str, country: str) -> str | None:
    """`line` with its street type abbreviated, None where nothing can be."""
    for full, short in _ABBREVIATIONS[country]:
        if country in ("DE", "NL"):
            changed = re.sub(rf"{full}\b", short, line, count=1)
        else:
            changed = re.sub(rf"\b{full}\b", short, line, count=1)
        if changed != line:
            return changed
    return None


def make_phone(country: str, rng: random.Random, mobile: bool, town: Town | None = None) -> str:
    """A number in E.164 that is valid in the numbering plan of `country`."""
    while True:
        number = _candidate(country, rng, mobile, town or make_town(country, rng))
        parsed = phonenumbers.parse(number, country)
        if phonenumbers.is_valid_number(parsed):
            return phonenumbers.format_number(parsed, PhoneNumberFormat.E164)


def _digits(rng: random.Random, count: int) -> str:
    return "".join(rng.choice(string.digits) for _ in range(count))


def _candidate(country: str, rng: random.Random, mobile: bool, town: Town) -> str:
    if country == "US":
        return f"+1{town.area}{rng.randint(2, 9)}{_digits(rng, 6)}"
    if country == "GB":
        if mobile:
            return f"+447{rng.choice('4578')}{_digits(rng, 8)}"
        return f"+44{town.area}{rng.randint(2, 9)}{_digits(rng, 9 - len(town.area))}"
    if country == "DE":
        if mobile:
            return f"+49{rng.choice(('151', '160', '170', '171', '172', '175', '176', '179'))}{_digits(rng, 8)}"
        return f"+49{town.area}{rng.randint(2, 9)}{_digits(rng, 6)}"
    if country == "FR":
        return f"+33{rng.choice('67') if mobile else town.area}{_digits(rng, 8)}"
    if country == "NL":
        return f"+316{_digits(rng, 8)}" if mobile else f"+31{town.area}{rng.randint(2, 8)}{_digits(rng, 6)}"
    if country == "ES":
        return f"+346{_digits(rng, 8)}" if mobile else f"+34{town.area}{_digits(rng, 9 - len(town.area))}"
    return f"+52{town.area}{rng.randint(2, 9)}{_digits(rng, 9 - len(town.area))}"


def write_phone(e164: str, style: str, extension: str = "") -> str:
    """`e164` as people write it; `style` is one of rates.PHONE_FORMATS. The extension goes behind it."""
    if style == "phone_e164":
        text = e164
    else:
        parsed = phonenumbers.parse(e164)
        if style == "phone_international":
            text = phonenumbers.format_number(parsed, PhoneNumberFormat.INTERNATIONAL)
        else:
            text = phonenumbers.format_number(parsed, PhoneNumberFormat.NATIONAL)
        if style == "phone_dots":
            text = re.sub(r"\D+", ".", text).strip(".")
        elif style == "phone_digits":
            text = re.sub(r"\D", "", text)
    return f"{text} {extension}" if extension else text
