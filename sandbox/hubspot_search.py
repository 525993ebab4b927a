"""HubSpot's search over the world: the body of a search request as SQL.

Filters of a group all hold, of the groups at least one; text compares without regard to capitals; a negated operator
(NEQ, NOT_IN, NOT_CONTAINS_TOKEN) is true of whatever its positive form is not, records without a value included.
Limits and default properties are those of developers.hubspot.com, "Search the CRM".
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.deals import ENDS
from sandbox.hubspot_objects import ASSOCIATION_TYPES, SEARCHABLE, ObjectType, Property, object_type
from sandbox.world import iso

MOST_GROUPS, MOST_FILTERS_OF_A_GROUP, MOST_FILTERS, LONGEST_QUERY = 5, 6, 18, 3000
_SIGNS = {"EQ": "=", "GT": ">", "GTE": ">=", "LT": "<", "LTE": "<="}
_POSITIVE = {"NEQ": "EQ", "NOT_IN": "IN", "NOT_CONTAINS_TOKEN": "CONTAINS_TOKEN", "NOT_HAS_PROPERTY": "HAS_PROPERTY"}
_NEVER_NULL = ("seq", "created_at", "updated_at")  # without more around them, so that SQLite can use its indexes


def add_functions(connection: sqlite3.Connection) -> None:
    """What searches need of SQLite: text without capitals, words and parts of a text."""
    connection.create_collation("folded", _compare)
    connection.create_function("has_token", 2, _has_token, deterministic=True)
    connection.create_function("has_part", 2, _has_part, deterministic=True)


def _compare(left: str, right: str) -> int:
    one, other = left.casefold(), right.casefold()
    return (one > other) - (one < other)


def _has_part(text: str | None, part: str) -> bool:
    return part.casefold() in str(text or "").casefold()


def _has_token(text: str | None, pattern: str) -> bool:
    """Whether `text` has the words of `pattern` in a row; with `*`, whether a word or the text is like it."""
    if text in (None, ""):
        return False
    folded, wanted = str(text).casefold(), pattern.casefold()
    if "*" not in wanted:
        words, mine = (" ".join(re.findall(r"\w+", one)) for one in (wanted, folded))
        return bool(words) and f" {words} " in f" {mine} "
    parts = [re.escape(part) for part in re.split(r"\*+", wanted)]
    like = re.compile(".*?".join(parts), re.DOTALL)
    return any(like.fullmatch(word) for word in {folded, *folded.split(), *re.findall(r"\w+", folded)})


class Search:
    """A search body as SQL over the world. `invalid` makes the error of a message."""

    def __init__(self, kind: ObjectType, faults: Mapping[str, float], invalid: Any) -> None:
        self.kind, self.properties, self.invalid = kind, kind.by_name(faults), invalid
        self.ahead = timedelta(seconds=faults.get("clock_skew", 0))

    # ---------- what a body asks for
    def where(self, body: dict) -> tuple[str, list]:
        """SQL condition and its values."""
        groups, values = [], []
        for group in self._groups(body):
            conditions = [self._condition(one) for one in group]
            groups.append("(" + " and ".join(sql for sql, _ in conditions) + ")")
            values += [value for _, parameters in conditions for value in parameters]
        parts = [f"system = 'hubspot' and object = '{self.kind.name}' and state = 'live'"]
        if groups:
            parts.append(f"({' or '.join(groups)})")
        for word in self._words(body):
            columns = [self._expression(name) for name in SEARCHABLE[self.kind.name] if name in self.properties]
            parts.append("(" + " or ".join(f"has_part({column}, ?)" for column in columns) + ")")
            values += [word] * len(columns)
        return " and ".join(parts), values

    def order(self, body: dict) -> str:
        """One sort rule, as HubSpot allows, records without a value last; without a rule the oldest first."""
        sorts = self._list(body, "sorts")
        if len(sorts) > 1:
            raise self.invalid("Only one sort rule is supported per search")
        if not sorts:
            return "created_at, seq"
        [rule] = sorts
        if isinstance(rule, str):
            rule = {
                "propertyName": rule.lstrip("-"),
                "direction": "DESCENDING" if rule.startswith("-") else "ASCENDING",
            }
        if not isinstance(rule, dict) or rule.get("direction") not in ("ASCENDING", "DESCENDING", None):
            raise self.invalid(f"{rule!r} is no sort rule: take propertyName and direction ASCENDING or DESCENDING")
        column = self._expression(rule.get("propertyName"))
        nulls = "" if column in _NEVER_NULL else f"{column} is null, "
        return f"{nulls}{column} {'desc' if rule.get('direction') == 'DESCENDING' else 'asc'}, seq"

    def _groups(self, body: dict) -> list[list[dict]]:
        """The filters of every group; `filters` outside of a group are one of their own."""
        groups = [*self._list(body, "filterGroups"), *([{"filters": body["filters"]}] if body.get("filters") else [])]
        if not all(isinstance(group, dict) for group in groups):
            raise self.invalid("filterGroups must be a list of objects with `filters`")
        filters = [self._list(group, "filters") for group in groups]
        if not all(isinstance(one, dict) for group in filters for one in group):
            raise self.invalid("filters must be a list of objects with propertyName and operator")
        if len(groups) > MOST_GROUPS:
            raise self.invalid(f"At most {MOST_GROUPS} filterGroups are allowed, got {len(groups)}")
        if any(len(group) > MOST_FILTERS_OF_A_GROUP for group in filters):
            raise self.invalid(f"At most {MOST_FILTERS_OF_A_GROUP} filters are allowed in a filterGroup")
        if sum(map(len, filters)) > MOST_FILTERS:
            raise self.invalid(f"At most {MOST_FILTERS} filters are allowed in all")
        return [group for group in filters if group]

    def _words(self, body: dict) -> list[str]:
        query = body.get("query") or ""
        if not isinstance(query, str):
            raise self.invalid("query must be a text")
        if len(query) > LONGEST_QUERY:
            raise self.invalid(f"query has {len(query)} characters, more than the maximum of {LONGEST_QUERY}")
        return query.split()

    def _list(self, body: dict, name: str) -> list:
        found = body.get(name) or []
        if not isinstance(found, list):
            raise self.invalid(f"{name} must be a list")
        return found

    # ---------- one filter
    def _condition(self, one: dict) -> tuple[str, list]:
        name, operator = one.get("propertyName"), one.get("operator")
        if operator in _POSITIVE:
            sql, values = self._condition(one | {"operator": _POSITIVE[operator]})
            return f"not coalesce({sql}, 0)", values
        if isinstance(name, str) and name.startswith("associations."):
            return self._associated(name, operator, one)
        column = self._expression(name)
        if operator == "HAS_PROPERTY":
            return f"{column} is not null", []
        values = self._values(one)
        if operator == "CONTAINS_TOKEN":
            return f"has_token({column}, ?)", [str(value) for value in values]
        typed = [self._value(name, value) for value in values]
        collation = "" if self.properties[name].kind in ("number", "datetime") else " collate folded"
        if operator == "IN":
            return f"{column}{collation} in ({', '.join('?' * len(typed))})", typed
        if operator == "BETWEEN":
            return f"{column}{collation} between ? and ?", typed
        return f"{column} {_SIGNS[operator]} ?{collation}", typed

    def _values(self, one: dict) -> list:
        """The values an operator takes, as the request has them."""
        name, operator = one.get("propertyName"), one.get("operator")
        if operator == "IN":
            found = one.get("values")
            if not isinstance(found, list) or not found:
                raise self.invalid(f"{operator} on {name!r} needs a list `values`")
            return found
        keys = {"BETWEEN": ("value", "highValue"), "CONTAINS_TOKEN": ("value",)}.get(
            operator, ("value",) if operator in _SIGNS else ()
        )
        if not keys:
            raise self.invalid(f"operator {operator!r} is not supported")
        for key in keys:
            if one.get(key) is None:
                raise self.invalid(f"{operator} on {name!r} needs a `{key}`")
        return [one[key] for key in keys]

    def _associated(self, name: str, operator: object, one: dict) -> tuple[str, list]:
        """The pseudo-property `associations.{type}`: who is associated with a record of that type."""
        to = object_type(name.removeprefix("associations."))
        if to is None or (self.kind.name, to.name) not in ASSOCIATION_TYPES:
            raise self.invalid(f"Property {name!r} does not exist")
        theirs = f"json_extract(link.fields, '$.{ENDS[to.name]}')"
        if operator not in ("EQ", "IN", "HAS_PROPERTY"):
            raise self.invalid(f"operator {operator!r} is not supported for {name}")
        values = [] if operator == "HAS_PROPERTY" else [str(value) for value in self._values(one)]
        which = f"in ({', '.join('?' * len(values))})" if values else "<> ''"
        return (
            "exists (select 1 from records as link where link.system = 'hubspot' and link.object = 'associations'"
            f" and link.state = 'live' and json_extract(link.fields, '$.{ENDS[self.kind.name]}') = records.source_id"
            f" and {theirs} {which})",
            values,
        )

    def _expression(self, name: object) -> str:
        if not isinstance(name, str) or name not in self.properties:
            raise self.invalid(f"Property {name!r} does not exist")
        found: Property = self.properties[name]
        if name == "hs_object_id":
            return "seq"
        if found.source == "constant":
            return "'default'"
        if found.source in _NEVER_NULL:
            return found.source
        column = found.source if found.is_column else f"json_extract(fields, '$.{found.source}')"
        return f"cast(nullif({column}, '') as real)" if found.kind == "number" else f"nullif({column}, '')"

    def _value(self, name: str, value: object) -> object:
        """A filter's value as the column holds it: datetimes also come as milliseconds since 1970."""
        text, kind = str(value), self.properties[name].kind
        if kind == "datetime":
            ahead = self.ahead if self.properties[name].source == "updated_at" else timedelta(0)
            try:
                if text.lstrip("-").isdigit():
                    return iso(datetime.fromtimestamp(int(text) / 1000, UTC) - ahead)
                moment = datetime.fromisoformat(text)
                return iso((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - ahead)
            except (ValueError, OverflowError, OSError) as error:
                raise self.invalid(f"{text!r} is not a time: take ISO 8601 or milliseconds since 1970") from error
        if kind == "number":
            try:
                number = float(text)
                return int(text) if name == "hs_object_id" and abs(number) < 2**63 else number
            except ValueError as error:
                raise self.invalid(f"{text!r} is not a number") from error
        return text
