"""Countries to assigned ISO 3166-1 alpha-2 codes, by `pycountry` and a short list of what people write."""

from __future__ import annotations

import csv
import functools
import unicodedata
from pathlib import Path

import pycountry

ALIASES = Path(__file__).resolve().parents[1] / "seeds" / "reference" / "country_aliases.csv"


def _fold(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(c if c.isalnum() else " " for c in plain if not unicodedata.combining(c)).split())


@functools.cache
def _names() -> dict[str, str]:
    names = {}
    for item in pycountry.countries:
        for name in (
            item.name,
            item.alpha_3,
            getattr(item, "common_name", ""),
            getattr(item, "official_name", ""),
        ):
            if name:
                names[_fold(name)] = item.alpha_2
    with open(ALIASES, newline="", encoding="utf-8") as handle:
        names.update({_fold(row["alias"]): row["country"] for row in csv.DictReader(handle)})
    return names


def parse_country(raw: str | None) -> str | None:
    """The assigned alpha-2 code of a country as written (name, alias, alpha-2 or alpha-3), else None."""
    if raw is None or not raw.strip():
        return None
    text = raw.strip()
    if len(text) == 2 and (pycountry.countries.get(alpha_2=text.upper()) or text.upper() == "XK"):
        return text.upper()
    return _names().get(_fold(text)) if text.upper() != "N/A" else None
