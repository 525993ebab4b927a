"""The catalogue of UDFs: one name, one signature and one result type, whatever the engine.

Types are written in the SQL that DuckDB and Spark share. An engine plugin (`duckdb_plugin.py`) walks
`FUNCTIONS` and registers each; nothing else knows how a UDF reaches an engine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from udfs import address, company, country, email, graph, lists, moment, person_name, phone, place

LIBRARIES = ("phonenumbers", "usaddress", "pycountry", "babel", "idna", "tzdata")


@dataclass(frozen=True)
class Udf:
    """A Python function of scalars, and the SQL types it takes and gives."""

    name: str
    function: Callable[..., object]
    takes: tuple[str, ...]
    gives: str


def fields(*names: str) -> str:
    """The SQL type of a struct of text fields."""
    return "struct(" + ", ".join(f"{name} varchar" for name in names) + ")"


FUNCTIONS = (
    Udf("parse_phone", phone.parse_phone, ("varchar", "varchar"), fields(*phone.FIELDS)),
    Udf("parse_address", address.parse_address, ("varchar", "varchar", "varchar"), fields(*address.FIELDS)),
    Udf("parse_person_name", person_name.parse_person_name, ("varchar",), fields(*person_name.FIELDS)),
    Udf("clean_company", company.clean_company, ("varchar",), fields(*company.FIELDS)),
    Udf("normalise_email", email.normalise_email, ("varchar",), fields(*email.FIELDS)),
    Udf("clean_postal_code", place.clean_postal_code, ("varchar", "varchar"), "varchar"),
    Udf("clean_region", place.clean_region, ("varchar", "varchar"), "varchar"),
    Udf("parse_country", country.parse_country, ("varchar",), "varchar"),
    Udf("parse_datetime", moment.parse_datetime, ("varchar", "varchar", "varchar"), fields(*moment.FIELDS)),
    Udf("parse_date", moment.parse_date, ("varchar", "varchar"), fields(*moment.FIELDS)),
    Udf(
        "connected_components",
        graph.connected_components,
        ("struct(a varchar, b varchar)[]",),
        "struct(record_key varchar, cluster_id varchar)[]",
    ),
    Udf(
        "follow_chains",
        graph.follow_chains,
        ("struct(a varchar, b varchar)[]",),
        "struct(a varchar, b varchar)[]",
    ),
)


def udf_version() -> str:
    """Twelve hex digits that change when a UDF's code, its words or the library behind it change."""
    digest = hashlib.sha256()
    for path in [*sorted(Path(__file__).parent.glob("*.py")), *lists.files()]:
        digest.update(path.read_bytes())
    for library in LIBRARIES:
        digest.update(f"{library}=={version(library)}".encode())
    return digest.hexdigest()[:12]
