"""House numbers and thoroughfares as they look in each country: what the parsers of addresses tell apart by."""

from __future__ import annotations

import re

from udfs.address_countries import Country
from udfs.address_languages import street_pattern

NUMBER = (
    r"\d{1,5}(?:\s?[/-]\s?\d{1,5})*(?:\s?(?:bis|ter|quater|quinquies)\b|\s?(?:/|"
    r"-)?\s?[a-zA-Zа-яА-Яα-ωΑ-Ω](?![\w'’.º°]))?"
    r"(?:\s?[-–/+]\s?\d{1,5}\s?(?:[a-zA-Zа-я](?!\w))?)*(?:\s[½]|\s1/[234])?"
)
LABEL = (
    r"(?:nr|no|num|núm|número|numero|numéro|n\.?\s?[º°o]|nº|n°|n|№|č\.\s?p|č|hausnr|house no|h\.?\s?no|door no|bldg|"
    r"дом|д|буд|dom|d|αρ|#)\.?\s*:?\s*"
)
NUMBER_ONLY = re.compile(rf"^(?:{LABEL})?(?P<number>{NUMBER})\.?$", re.I)
ENGLISH_NUMBER = (
    r"(?:(?:[A-Z][-/])?\d{1,5}[A-Za-z]?(?:-[A-Z](?!\w))?(?:\s?[/-]\s?\d{1,5}[A-Za-z]?(?!\w))*(?:\s½|\s1/[234])?)"
    r"(?![\w'’.º°])"
)
ENGLISH_ONLY = re.compile(rf"^(?:{LABEL})?(?P<number>{ENGLISH_NUMBER})\.?$", re.I)
ENGLISH_FIRST = re.compile(rf"^(?:{LABEL})?(?P<number>{ENGLISH_NUMBER})(?:,\s*|\s+)(?P<rest>.*[^\W\d_].*)$", re.I)
NUMBER_FIRST = re.compile(
    rf"^(?:{LABEL})?(?P<number>{NUMBER})(?:,\s*|\s+|(?<=\d)(?=[^\W\d_]{{3}}))(?P<rest>.*[^\W\d_].*)$", re.I
)
NUMBER_LAST = re.compile(
    rf"^(?P<street>.*?[^\W\d_].*?)(?:\s*,\s*|\s+|(?<=\.)(?=\d))(?:{LABEL})?(?P<number>{NUMBER})\.?$", re.I
)
ENGLISH_ORDINAL = re.compile(r"^\d+(?:st|nd|rd|th)(?=\s)", re.I)
ORDINAL = re.compile(r"^\d+(?:e|er|de|ste|ère|ème|\s?[ªº°]|th|st|nd|rd|\.)(?=\s)", re.I)


def looks_like_street(text: str, rule: Country) -> bool:
    found = leading_number(text, rule)
    return bool(street_pattern(rule.languages).search(found["rest"] if found else text))


def leading_number(text: str, rule: Country) -> re.Match[str] | None:
    is_english = rule.languages[0] == "en"
    if (ENGLISH_ORDINAL if is_english else ORDINAL).match(text):
        return None
    return (ENGLISH_FIRST if is_english else NUMBER_FIRST).match(text)
