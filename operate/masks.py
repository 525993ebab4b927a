"""The mask rules of the access matrix, each one SQL expression over a column; NULL stays NULL under all of them."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable

import duckdb

from operate.environment import Environment
from operate.errors import UserError

KEY_VARIABLE = "mask_key"
TOKEN_LENGTH = 32  # hexadecimal characters: 128 bits


def _hash(column: str, sql_type: str) -> str:
    """A keyed token: equal values keep equal tokens, in every table and version of one environment."""
    text = f"concat(getvariable('{KEY_VARIABLE}'), '/', cast({column} as varchar))"
    return f"case when {column} is not null then left(sha256({text}), {TOKEN_LENGTH}) end"


def _initials(column: str, sql_type: str) -> str:
    """`Ana de Souza` -> `A. D. S.`."""
    words = rf"regexp_extract_all(cast({column} as varchar), '\S+')"
    return f"array_to_string(list_transform({words}, lambda word: concat(upper(left(word, 1)), '.')), ' ')"


def _year_only(column: str, sql_type: str) -> str:
    """1 January of the year, so that the column keeps its type."""
    if not sql_type.startswith(("DATE", "TIMESTAMP")):
        raise ValueError(f"needs a date or a timestamp, the column is {sql_type}")
    return f"cast(date_trunc('year', {column}) as {sql_type})"


def _domain_only(column: str, sql_type: str) -> str:
    """`a@b.org` -> `b.org`; what has no @ becomes NULL."""
    return f"nullif(regexp_extract(cast({column} as varchar), '@([^@]+)$', 1), '')"


def _null(column: str, sql_type: str) -> str:
    return f"cast(null as {sql_type})"


MASKS: dict[str, Callable[[str, str], str]] = {
    "hash": _hash,
    "initials": _initials,
    "year_only": _year_only,
    "domain_only": _domain_only,
    "null": _null,
}


def mask_sql(rule: str, column: str, sql_type: str) -> str:
    """The SQL of `rule` over the quoted `column`. Raises UserError for an unknown rule or a wrong type."""
    if rule not in MASKS:
        raise UserError(f"mask rule {rule!r} is not one of {', '.join(MASKS)}")
    try:
        return MASKS[rule](column, sql_type)
    except ValueError as error:
        raise UserError(f"mask rule {rule!r} {error}") from error


def set_mask_key(connection: duckdb.DuckDBPyConnection, environment: Environment) -> None:
    """Give `connection` the key of the hash mask: derived from the id key, so that tokens last as ids do."""
    from udfs.customer_id import read_or_create_key

    key = hmac.new(read_or_create_key(environment), b"customer_360 masks", hashlib.sha256).hexdigest()
    connection.execute(f"set variable {KEY_VARIABLE} = '{key}'")
