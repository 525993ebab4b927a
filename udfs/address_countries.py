"""How each country writes an address: its postal code, what comes first, and the languages of its words.

Sources: the addressing sheets of the Universal Postal Union and the guides of the postal operators.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

import pycountry

from udfs.address_text import fold
from udfs.lists import read_words


@dataclass(frozen=True)
class Country:
    """`postal` matches a code as people write it; `shape` is how the operator writes it, a # for each character."""

    languages: tuple[str, ...]
    postal: str = ""
    shape: str = ""
    code_first: bool = True  # the postal code stands before the city
    number_first: bool = False  # the house number stands before the street
    prefix: str = ""  # letters that people put before the code, besides the alpha-2 code


GB_POSTCODE = r"(?:GIR\s?0AA|[A-Z]{1,2}\d[A-Z\d]?\s{0,2}\d[ABD-HJLNP-UW-Z]{2})"
EIRCODE = r"(?:[AC-FHKNPRTV-Y]\d{2}|D6W)[\s-]?[0-9A-Z]{4}"
CANADA_CODE = r"[ABCEGHJ-NPRSTVXY]\d[ABCEGHJ-NPRSTV-Z][\s-]?\d[ABCEGHJ-NPRSTV-Z]\d"
COUNTRIES = {
    "DE": Country(("de",), r"\d{5}", prefix="D"),
    "AT": Country(("de",), r"\d{4}", prefix="A|Ö"),
    "CH": Country(("de", "fr", "it"), r"\d{4}"),
    "LI": Country(("de",), r"\d{4}", prefix="FL"),
    "FR": Country(("fr",), r"\d{2}\s?\d{3}", "#####", number_first=True, prefix="F"),
    "MC": Country(("fr",), r"98\d{3}", number_first=True),
    "BE": Country(("nl", "fr", "de"), r"\d{4}", prefix="B"),
    "LU": Country(("fr", "de"), r"\d{4}", number_first=True, prefix="L"),
    "NL": Country(("nl",), r"[1-9]\d{3}\s?[A-Z]{2}", "#### ##"),
    "GB": Country(("en",), GB_POSTCODE, code_first=False, number_first=True),
    "IE": Country(("en",), EIRCODE, "### ####", code_first=False, number_first=True),
    "ES": Country(("es",), r"\d{5}", prefix="E"),
    "AD": Country(("es",), r"AD\s?\d{3}", "#####"),
    "PT": Country(("pt",), r"\d{4}\s?[-–]?\s?\d{3}", "####-###", prefix="P"),
    "IT": Country(("it",), r"\d{5}", prefix="I"),
    "SM": Country(("it",), r"\d{5}"),
    "VA": Country(("it",), r"00120"),
    "SE": Country(("sv",), r"\d{3}\s?\d{2}", "### ##", prefix="S"),
    "NO": Country(("no",), r"\d{4}", prefix="N"),
    "DK": Country(("da",), r"\d{4}"),
    "FI": Country(("fi", "sv"), r"\d{5}", prefix="FIN|SF|AX"),
    "IS": Country(("is",), r"\d{3}"),
    "PL": Country(("pl",), r"\d{2}\s?[-–]?\s?\d{3}", "##-###"),
    "CZ": Country(("cs",), r"\d{3}\s?\d{2}", "### ##"),
    "SK": Country(("sk", "cs"), r"\d{3}\s?\d{2}", "### ##"),
    "HU": Country(("hu",), r"\d{4}", prefix="H"),
    "GR": Country(("el",), r"\d{3}\s?\d{2}", "### ##"),
    "CY": Country(("el", "en"), r"\d{4}"),
    "MT": Country(("mt", "en"), r"[A-Z]{3}\s?\d{4}", "### ####", code_first=False, number_first=True),
    "TR": Country(("tr",), r"\d{5}"),
    "RO": Country(("ro",), r"\d{6}"),
    "MD": Country(("ro", "ru"), r"\d{4}"),
    "RU": Country(("ru",), r"\d{6}"),
    "BY": Country(("ru",), r"\d{6}"),
    "KZ": Country(("ru",), r"\d{6}"),
    "UA": Country(("ru",), r"\d{5}", code_first=False),
    "BG": Country(("bg", "ru"), r"\d{4}"),
    "RS": Country(("hr",), r"\d{5}"),
    "HR": Country(("hr",), r"\d{5}"),
    "SI": Country(("hr",), r"\d{4}"),
    "BA": Country(("hr",), r"\d{5}"),
    "ME": Country(("hr",), r"\d{5}"),
    "MK": Country(("hr", "bg"), r"\d{4}"),
    "EE": Country(("et",), r"\d{5}"),
    "LV": Country(("lv",), r"\d{4}", code_first=False),
    "LT": Country(("lt",), r"\d{5}"),
    "CA": Country(("en", "fr"), CANADA_CODE, "### ###", code_first=False, number_first=True),
    "AU": Country(("en",), r"\d{4}", code_first=False, number_first=True),
    "NZ": Country(("en",), r"\d{4}", code_first=False, number_first=True),
    "BR": Country(("pt",), r"\d{2}\.?\d{3}\s?[-–]?\s?\d{3}", "#####-###", code_first=False),
    "MX": Country(("es",), r"\d{5}", prefix=r"C\.?\s?P\.?"),
    "AR": Country(("es",), r"[A-HJ-NP-Z]\d{4}(?:[A-Z]{3})?|\d{4}"),
    "CL": Country(("es",), r"\d{3}\s?-?\d{4}", "#######"),
    "CO": Country(("es",), r"\d{6}", code_first=False),
    "PE": Country(("es",), r"\d{5}", code_first=False),
    "UY": Country(("es",), r"\d{5}"),
    "EC": Country(("es",), r"\d{6}"),
    "VE": Country(("es",), r"\d{4}", code_first=False),
    "CR": Country(("es",), r"\d{5}"),
    "JP": Country(
        ("ja", "en"), r"\d{3}\s?[-‐–ー]?\s?\d{4}", "###-####", code_first=False, number_first=True, prefix="〒"
    ),
    "KR": Country(("ko", "en"), r"\d{5}|\d{3}-\d{3}", code_first=False, number_first=True),
    "CN": Country(("zh", "en"), r"\d{6}", code_first=False, number_first=True),
    "TW": Country(("zh", "en"), r"\d{3}(?:\d{2,3})?", code_first=False, number_first=True),
    "HK": Country(("en",), "", number_first=True),
    "SG": Country(("en",), r"\d{6}", code_first=False, number_first=True, prefix="S"),
    "MY": Country(("en",), r"\d{5}", number_first=True),
    "TH": Country(("en",), r"\d{5}", code_first=False, number_first=True),
    "VN": Country(("vi", "en"), r"\d{5,6}", code_first=False, number_first=True),
    "PH": Country(("en",), r"\d{4}", number_first=True),
    "ID": Country(("en",), r"\d{5}", code_first=False),
    "IN": Country(
        ("en",), r"[1-9]\d{2}\s?\d{3}", "######", code_first=False, number_first=True, prefix="PIN|Pincode|PIN code"
    ),
    "PK": Country(("en",), r"\d{5}", code_first=False, number_first=True),
    "BD": Country(("en",), r"\d{4}", code_first=False, number_first=True),
    "LK": Country(("en",), r"\d{5}", code_first=False, number_first=True),
    "ZA": Country(("en",), r"\d{4}", code_first=False, number_first=True),
    "NG": Country(("en",), r"\d{6}", code_first=False, number_first=True),
    "KE": Country(("en",), r"\d{5}", code_first=False, number_first=True),
    "GH": Country(("en",), r"[A-Z]{2}-\d{3,4}-\d{4}", code_first=False, number_first=True),
    "EG": Country(("ar", "en"), r"\d{5}", code_first=False, number_first=True),
    "MA": Country(("fr",), r"\d{5}", number_first=True),
    "TN": Country(("fr",), r"\d{4}", number_first=True),
    "DZ": Country(("fr",), r"\d{5}", number_first=True),
    "SN": Country(("fr",), r"\d{5}", number_first=True),
    "IL": Country(("he", "en"), r"\d{7}|\d{5}", code_first=False),
    "AE": Country(("ar", "en"), "", number_first=True),
    "SA": Country(("ar", "en"), r"\d{5}(?:\s?-\s?\d{4})?", code_first=False, number_first=True),
}
DEFAULT = Country(("en",), r"\d{4,6}", number_first=True)

# A postal code that one country alone writes so: enough to know the country of an address that does not name it.
TELLING_CODES = {
    "NL": r"\b[1-9]\d{3}\s?[A-Z]{2}\b(?!\s+\d)",
    "GB": rf"\b{GB_POSTCODE}\b",
    "CA": rf"\b{CANADA_CODE}\b",
    "IE": rf"\b{EIRCODE}\b",
    "PL": r"(?<![\w-])\d{2}-\d{3}(?![\w-])",
    "BR": r"(?<![\w-])\d{5}-\d{3}(?![\w-])",
    "PT": r"(?<![\w-])\d{4}-\d{3}(?![\w-])",
    "JP": r"〒\s?\d{3}|(?<![\w-])\d{3}-\d{4}(?![\w-])",
    "AR": r"\b[A-HJ-NP-Z]\d{4}[A-Z]{3}\b",
    "MT": r"\b[A-Z]{3}\s\d{4}$",
    "DE": r"\bDE?-\d{5}\b",
    "CH": r"\bCH-\s?\d{4}\b",
    "AT": r"\bAT?-\s?\d{4}\b",
    "FR": r"\b(?:FR?-\s?\d{5}|\d{5}\s[\w' -]+?\sCEDEX)\b",
    "BE": r"\bBE?-\s?\d{4}\b",
    "LU": r"\bLU?-\s?\d{4}\b",
    "SE": r"\bSE?-\s?\d{3}\s?\d{2}\b",
    "FI": r"\bFIN?-\s?\d{5}\b",
    "DK": r"\bDK-\s?\d{4}\b",
    "NO": r"\bNO?-\s?\d{4}\b",
    "IT": r"\bIT?-\s?\d{5}\b|\d{5} [\w' ]+ \([A-Z]{2}\)$",
    "LV": r"\bLV-\s?\d{4}\b",
    "LT": r"\bLT-\s?\d{5}\b",
    "HU": r"\bHU?-\s?\d{4}\b",
    "ES": r"\bES?-\s?\d{5}\b",
    "CZ": r"\bCZ-\s?\d{3}\s?\d{2}\b",
    "SI": r"\bSI-\s?\d{4}\b",
    "SK": r"\bSK-\s?\d{3}\s?\d{2}\b",
    "HR": r"\bHR-\s?\d{5}\b",
    "GR": r"\bGR-\s?\d{3}\s?\d{2}\b",
    "RO": r"\bRO-\s?\d{6}\b",
    "LI": r"\bFL-\s?\d{4}\b",
    "EE": r"\bEE-\s?\d{5}\b",
    "AD": r"\bAD\d{3}\b",
    "MC": r"\b98000\s+Monaco\b",
}

# Where the operator writes a region's code; elsewhere a region stays as written.
REGION_BY_CODE = frozenset({"CA", "AU", "BR", "IT"})
# Cities that are subdivisions themselves: the city of their addresses, not the region.
CITY_STATES = frozenset({
    "beijing", "shanghai", "tianjin", "chongqing", "seoul", "busan", "daegu", "incheon", "gwangju", "daejeon",
    "ulsan", "sejong", "wien", "berlin", "hamburg", "bremen", "praha", "bucuresti", "bucharest", "budapest",
    "moskva", "moscow", "москва", "bogota", "lima",
})  # fmt: skip
HAS_REGIONS = frozenset({
    "CA", "AU", "BR", "IT", "MX", "AR", "CL", "ES", "IN", "ZA", "CN", "JP", "KR", "GB", "IE", "TR", "RO", "RU", "UA",
    "CO", "PE", "MY", "PH", "ID", "NG", "TH", "VN", "PK", "KE", "PT", "GR",
})  # fmt: skip
REGION_WORDS = re.compile(
    r"^(?:jud(?:e[tț]ul)?\.?|(?:pcia|prov(?:incia)?|dpto|depto|estado|est|edo|state|province|prov)\.?(?: de| of)?|"
    r"region(?: of)?)\s+|"
    r"\s+(?:province|state|prefecture|prov\.|oblast|region|обл\.?|область|край|province)$",
    re.I,
)


@functools.cache
def country_lines() -> dict[str, str]:
    """Names of countries as they stand on envelopes, folded, to their alpha-2 codes."""
    return {row["written"]: row["country"] for row in read_words("country_lines")}


@functools.cache
def _written_regions() -> dict[str, dict[str, str]]:
    regions: dict[str, dict[str, str]] = {}
    for row in read_words("address_regions"):
        regions.setdefault(row["country"], {})[row["written"]] = row["standard"] or row["written"]
    return regions


@functools.cache
def _regions(country: str) -> dict[str, str]:
    names: dict[str, str] = {}
    if country in HAS_REGIONS and country != "GB":
        for item in pycountry.subdivisions.get(country_code=country) or ():
            code = item.code.split("-", 1)[1]
            if item.parent_code and country not in ("IT", "ES", "PH", "GR"):
                continue
            for name in re.sub(r" (?:Sheng|Shi|Zizhiqu)$", "", item.name).split("/"):
                names[fold(re.sub(r"\s*[\[(].*", "", name))] = code
            if country in REGION_BY_CODE:
                names[code.lower()] = code
    names.update(_written_regions().get(country, {}))
    return names


def region_of(country: str, text: str) -> str | None:
    """The region that a piece of text names, as the operator writes it (a code in some countries), else None."""
    if country == "IE":
        return text if re.match(r"^(?:co\.?|county)\s+\w+$", text, re.I) else None
    if re.match(r"^(?:jud\.?|jude[tț]ul)\s+\S", text, re.I):
        return REGION_WORDS.sub("", text)
    if country in ("RU", "UA", "BY", "KZ") and re.search(
        r"\b(?:обл|область|край|респ|республика|oblast|krai|АО)\b", text, re.I
    ):
        return text
    bare = fold(REGION_WORDS.sub("", text.strip()))
    names = _regions(country)
    found = names.get(bare) or names.get(fold(text))
    if found is None or bare in CITY_STATES or bare == "ciudad de mexico":
        return None
    return found if country in REGION_BY_CODE else text


@functools.cache
def postal_pattern(country: str) -> re.Pattern[str] | None:
    """A postal code of the country among other words, its prefix apart; None where there are no postal codes."""
    rule = COUNTRIES.get(country, DEFAULT)
    if not rule.postal:
        return None
    prefixes = "|".join(filter(None, (country, rule.prefix)))
    glued = "" if rule.prefix == "〒" else r"[-–\s.:]{0,2}"
    words = (
        r"|(?:Postcode|Postal code|PLZ|CAP|CEP|CP|C\.P\.|PIN|ZIP|T\.?K\.?|Τ\.?Κ\.?|PSČ|п/и|індекс|индекс)[-:.\s]{0,3}"
    )
    return re.compile(rf"(?<![\w/-])(?:(?:{prefixes}){glued}{words})?(?P<code>{rule.postal})(?![\w/])(?!-\d)", re.I)


def postal_code(country: str, written: str) -> str:
    """A postal code as its operator writes it: upper case, blanks and hyphens where they belong."""
    bare = re.sub(r"[^0-9A-Z]", "", written.upper())
    if country == "GB":
        return f"{bare[:-3]} {bare[-3:]}"
    shape = COUNTRIES.get(country, DEFAULT).shape
    if not shape or shape.count("#") != len(bare):
        return re.sub(r"\s+", "", written.upper())
    characters = iter(bare)
    return "".join(next(characters) if mark == "#" else mark for mark in shape)
