"""SOQL as far as a reader of one object needs it: parsing, and conditions and orders as SQL.

    SELECT fields | COUNT() | COUNT(field) | FIELDS(ALL | STANDARD | CUSTOM)  FROM object
    [WHERE condition] [ORDER BY field [ASC | DESC] [NULLS FIRST | LAST], ...] [LIMIT n] [OFFSET n]

Conditions: = != <> < <= > >= LIKE IN, NOT IN, with AND, OR, NOT and parentheses; AND and OR are not mixed without
parentheses, as in Salesforce. Text compares without regard to capitals, and null is no value of <, <=, >, >=, LIKE, IN.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sandbox.ids import with_checksum
from sandbox.salesforce_objects import NEVER_NULL, Field, time_text
from sandbox.serving import ApiError

MOST_OFFSET = 2000
MOST_NUMBER = 2**31 - 1
_TOKEN = re.compile(
    r"""(?P<space>\s+)
    |(?P<string>'(?:[^'\\]|\\.)*')
    |(?P<datetime>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d))
    |(?P<date>\d{4}-\d\d-\d\d)
    |(?P<number>[+-]?\d+(?:\.\d+)?)
    |(?P<word>[A-Za-z_]\w*(?:\.\w+)*(?::\d+)?)
    |(?P<sign><=|>=|!=|<>|[=<>(),])""",
    re.VERBOSE,
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
_SECOND = timedelta(seconds=1)
_WORDS = {"null", "true", "false"}


@dataclass(frozen=True)
class Token:
    """A piece of a query: its kind (a group of the pattern, or `end`), its text, where it begins."""

    kind: str
    text: str
    at: int

    def says(self, *words: str) -> bool:
        return self.kind in ("word", "sign") and self.text.lower() in words


@dataclass(frozen=True)
class Condition:
    """`operator` is and, or, not (with `parts`), or a comparison of `name` with `values` (tokens)."""

    operator: str
    parts: tuple[Condition, ...] = ()
    name: Token | None = None
    values: tuple[Token, ...] = ()


@dataclass(frozen=True)
class Order:
    """One field of ORDER BY."""

    name: Token
    descending: bool
    nulls_first: bool


@dataclass(frozen=True)
class Query:
    """A parsed query. `select` are field names, `function` is count, or all, standard or custom of FIELDS()."""

    text: str
    sobject: Token
    select: tuple[Token, ...] = ()
    function: str = ""
    where: Condition | None = None
    order: tuple[Order, ...] = ()
    limit: int | None = None
    offset: int = 0


def error(code: str, message: str, text: str = "", at: int | None = None) -> ApiError:
    """A 400 of Salesforce; with `at` the message shows the place in the query."""
    if at is not None:
        start = max(0, at - 30)
        shown = text[start : at + 30].replace("\n", " ")
        message = f"\n{shown}\n{' ' * (at - start)}^\nERROR at Row:1:Column:{at + 1}\n{message}"
    return ApiError(400, [{"message": message, "errorCode": code}])


def parse(text: str) -> Query:
    """The query that `text` says. Raises MALFORMED_QUERY."""
    return _Parser(text).query()


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = list(self._split())
        self.place = 0

    def _split(self) -> Iterator[Token]:
        at = 0
        while at < len(self.text):
            found = _TOKEN.match(self.text, at)
            if not found:
                raise self._malformed(f"unexpected token: '{self.text[at]}'", at)
            if found.lastgroup != "space":
                yield Token(found.lastgroup, found[0], at)
            at = found.end()
        yield Token("end", "<EOF>", at)

    def _malformed(self, message: str, at: int) -> ApiError:
        return error("MALFORMED_QUERY", message, self.text, at)

    # ---------- tokens
    @property
    def next(self) -> Token:
        return self.tokens[self.place]

    def take(self) -> Token:
        self.place += 1
        return self.tokens[self.place - 1]

    def unexpected(self) -> ApiError:
        return self._malformed(f"unexpected token: '{self.next.text}'", self.next.at)

    def accept(self, *words: str) -> bool:
        """Take these words when they come next, all of them."""
        ahead = self.tokens[self.place : self.place + len(words)]
        if len(ahead) == len(words) and all(token.says(word) for token, word in zip(ahead, words, strict=True)):
            self.place += len(words)
            return True
        return False

    def expect(self, *words: str) -> None:
        for word in words:
            if not self.accept(word):
                raise self.unexpected()

    def kind(self, *kinds: str) -> Token:
        if self.next.kind not in kinds:
            raise self.unexpected()
        return self.take()

    def number(self) -> int:
        token = self.kind("number")
        if not token.text.isdigit():
            raise self._malformed(f"unexpected token: '{token.text}'", token.at)
        if int(token.text) > MOST_NUMBER:
            raise self._malformed(f"invalid number: {token.text}", token.at)
        return int(token.text)

    # ---------- grammar
    def query(self) -> Query:
        self.expect("select")
        select, function = self._selected()
        self.expect("from")
        sobject = self.kind("word")
        where = self._condition() if self.accept("where") else None
        order = self._orders() if self.accept("order", "by") else ()
        limit = self.number() if self.accept("limit") else None
        offset = self.number() if self.accept("offset") else 0
        if self.next.kind != "end":
            raise self.unexpected()
        if offset > MOST_OFFSET:
            raise error("NUMBER_OUTSIDE_VALID_RANGE", f"Maximum SOQL offset allowed is {MOST_OFFSET}")
        return Query(self.text, sobject, select, function, where, order, limit, offset)

    def _selected(self) -> tuple[tuple[Token, ...], str]:
        if self.accept("count", "("):
            name = () if self.next.says(")") else (self.kind("word"),)
            self.expect(")")
            return name, "count"
        if self.accept("fields", "("):
            which = self.kind("word")
            if not which.says("all", "standard", "custom"):
                raise self._malformed(f"unexpected token: '{which.text}'", which.at)
            self.expect(")")
            return (), which.text.lower()
        return tuple(self._listed()), ""

    def _listed(self) -> Iterator[Token]:
        yield self.kind("word")
        while self.accept(","):
            yield self.kind("word")

    def _condition(self) -> Condition:
        first = self._single()
        for operator in ("and", "or"):
            if self.next.says(operator):
                parts = [first]
                while self.accept(operator):
                    parts.append(self._single())
                if self.next.says("and", "or"):
                    raise self.unexpected()
                return Condition(operator, tuple(parts))
        return first

    def _single(self) -> Condition:
        if self.accept("not"):
            return Condition("not", (self._single(),))
        if self.accept("("):
            inner = self._condition()
            self.expect(")")
            return inner
        name = self.kind("word")
        if self.accept("not", "in"):
            return Condition("not", (Condition("in", name=name, values=self._values()),))
        if self.accept("in"):
            return Condition("in", name=name, values=self._values())
        if self.accept("like"):
            return Condition("like", name=name, values=(self.kind("string"),))
        operator = self.kind("sign")
        if operator.text not in ("=", "!=", "<>", "<", "<=", ">", ">="):
            raise self._malformed(f"unexpected token: '{operator.text}'", operator.at)
        text = "!=" if operator.text == "<>" else operator.text
        return Condition(text, name=name, values=(self._value(),))

    def _values(self) -> tuple[Token, ...]:
        self.expect("(")
        values = [self._value()]
        while self.accept(","):
            values.append(self._value())
        self.expect(")")
        return tuple(values)

    def _value(self) -> Token:
        token = self.kind("string", "datetime", "date", "number", "word")
        if token.kind == "word" and token.text.lower() not in _WORDS and not _is_date_word(token.text):
            raise self._malformed(f"unexpected token: '{token.text}'", token.at)
        return token

    def _orders(self) -> tuple[Order, ...]:
        orders = []
        while True:
            name = self.kind("word")
            descending = self.accept("desc") or (self.accept("asc") and False)
            nulls_first = True  # in both directions, unlike SQL
            if self.accept("nulls"):
                nulls_first = self.accept("first")
                if not nulls_first:
                    self.expect("last")
            orders.append(Order(name, descending, nulls_first))
            if not self.accept(","):
                return tuple(orders)


def text_of(token: Token) -> str:
    """What a quoted text says."""
    return re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[1]), token.text[1:-1])


# ---------- times
def _is_date_word(text: str) -> bool:
    try:
        return _date_range(text, datetime(2000, 1, 1)) is not None
    except ValueError:
        return False


def _date_range(text: str, now: datetime) -> tuple[datetime, datetime] | None:
    """[start, end) of a date literal such as TODAY or LAST_N_DAYS:3, days as UTC has them; None is no such word."""
    word, _, count = text.upper().partition(":")
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    day = timedelta(days=1)
    month = today.replace(day=1)
    year = today.replace(month=1, day=1)
    if count:
        days = int(count) * day
        return {
            "LAST_N_DAYS": (today - days, today + day),
            "NEXT_N_DAYS": (today + day, today + day + days),
        }.get(word)
    return {
        "YESTERDAY": (today - day, today), "TODAY": (today, today + day), "TOMORROW": (today + day, today + 2 * day),
        "THIS_MONTH": (month, (month + 31 * day).replace(day=1)),
        "LAST_MONTH": ((month - day).replace(day=1), month),
        "THIS_YEAR": (year, year.replace(year=year.year + 1)),
        "LAST_YEAR": (year.replace(year=year.year - 1), year),
    }.get(word)  # fmt: skip


# ---------- SQL
@dataclass
class Compiler:
    """Conditions and orders of one query as SQL over table `records`.

    resolve   the field that a token names and the SQL of its value; raises INVALID_FIELD
    now       naive UTC
    ahead     how far times of change are shown ahead of what the records say
    """

    query: Query
    resolve: Callable[[Token], tuple[Field, str]]
    now: datetime
    ahead: timedelta = timedelta(0)
    parameters: list[Any] = field(default_factory=list)

    def condition(self, one: Condition) -> str:
        """SQL that is 0 or 1, never null; its values are appended to `parameters`."""
        if one.operator in ("and", "or"):
            return "(" + f" {one.operator} ".join(self.condition(part) for part in one.parts) + ")"
        if one.operator == "not":
            return f"not {self.condition(one.parts[0])}"
        comparison = self._comparison(one)
        return comparison if self.resolve(one.name)[1] in NEVER_NULL else f"coalesce({comparison}, 0)"

    def order(self) -> str:
        """The ORDER BY clause; without one the order is that of the ids, which Salesforce does not promise."""
        terms = []
        for one in self.query.order:
            found, sql = self.resolve(one.name)
            if not found.can_filter:
                raise error("INVALID_FIELD", f"field '{found.name}' can not be sorted in a query call")
            if found.source[:1] in ("", "="):
                continue  # the same in every record; SQLite would take a number for the place of a column
            if found.kind == "datetime":
                sql = f"substr({sql}, 1, 19)"
            collation = " collate nocase" if found.kind not in ("id", "reference") else ""
            terms.append(
                f"{sql}{collation} {'desc' if one.descending else 'asc'} nulls {'first' if one.nulls_first else 'last'}"
            )
        return ", ".join([*terms, "source_id"])

    def _comparison(self, one: Condition) -> str:
        found, sql = self.resolve(one.name)
        if not found.can_filter:
            raise error("INVALID_FIELD", f"field '{found.name}' can not be filtered in a query call")
        if one.operator == "in":
            return "(" + " or ".join(self._equal(found, sql, value) for value in one.values) + ")"
        [value] = one.values
        if value.says("null"):
            if one.operator not in ("=", "!="):
                raise error("INVALID_FIELD", f"'{one.operator}' takes no null", self.query.text, value.at)
            return f"{sql} is {'' if one.operator == '=' else 'not '}null"
        if one.operator == "like":
            self._check(found, value, ("string",))
            self.parameters.append(_like_pattern(value))
            return f"{sql} like ? escape '\\'"
        if one.operator == "!=":
            return f"not coalesce({self._equal(found, sql, value)}, 0)"
        return self._equal(found, sql, value) if one.operator == "=" else self._ordered(found, sql, one.operator, value)

    def _equal(self, found: Field, sql: str, value: Token) -> str:
        if value.says("null"):
            return f"{sql} is null"
        if found.kind in ("date", "datetime"):
            low, high = self._range(found, sql, value)
            self.parameters += [low, high]
            return f"({sql} >= ? and {sql} < ?)"
        self.parameters.append(self._plain(found, value))
        return f"{sql} = ?{_collation(found)}"

    def _ordered(self, found: Field, sql: str, operator: str, value: Token) -> str:
        if found.kind in ("date", "datetime"):
            low, high = self._range(found, sql, value)
            limit, sign = {"<": (low, "<"), "<=": (high, "<"), ">": (high, ">="), ">=": (low, ">=")}[operator]
            self.parameters.append(limit)
            return f"{sql} {sign} ?"
        if found.kind == "boolean":
            raise error("INVALID_FIELD", f"boolean field '{found.name}' takes = and != only", self.query.text, value.at)
        self.parameters.append(self._plain(found, value))
        return f"{sql} {operator} ?{_collation(found)}"

    def _plain(self, found: Field, value: Token) -> Any:
        if found.kind == "boolean":
            if not value.says("true", "false"):
                raise self._wrong(found, value, "boolean")
            return value.says("true")
        if found.kind in ("double", "currency", "percent", "int"):
            self._check(found, value, ("number",))
            return float(value.text)
        self._check(found, value, ("string",))
        text = text_of(value)
        if found.kind in ("id", "reference"):
            if not re.fullmatch(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?", text):
                message = f"invalid ID field: {text}"
                raise error("INVALID_QUERY_FILTER_OPERATOR", message, self.query.text, value.at)
            return with_checksum(text) if len(text) == 15 else text
        return text

    def _range(self, found: Field, sql: str, value: Token) -> tuple[str, str]:
        """[low, high) of the stored values that equal `value`. Times are shown in whole seconds."""
        words = _date_range(value.text, self.now) if value.kind == "word" and _is_date_word(value.text) else None
        if found.kind == "date":
            if words:
                return words[0].date().isoformat(), words[1].date().isoformat()
            self._check(found, value, ("date",))
            try:
                one = date.fromisoformat(value.text)
            except ValueError as problem:
                raise self._wrong(found, value, "date") from problem
            return one.isoformat(), (one + timedelta(days=1)).isoformat()
        ahead = self.ahead if sql == "updated_at" else timedelta(0)
        if words:
            return time_text(words[0] - ahead), time_text(words[1] - ahead)
        self._check(found, value, ("datetime",))
        try:
            moment = datetime.fromisoformat(value.text).astimezone(UTC).replace(tzinfo=None) - ahead
        except ValueError as problem:
            raise self._wrong(found, value, "dateTime") from problem
        whole = moment.replace(microsecond=0)
        return time_text(whole if whole == moment else whole + _SECOND), time_text(whole + _SECOND)

    def _check(self, found: Field, value: Token, kinds: tuple[str, ...]) -> None:
        if value.kind not in kinds:
            wanted = {"datetime": "dateTime", "number": "double"}.get(kinds[0], kinds[0])
            raise self._wrong(found, value, wanted)

    def _wrong(self, found: Field, value: Token, wanted: str) -> ApiError:
        rest = " and should be enclosed in quotes" if wanted == "string" else " and should not be enclosed in quotes"
        message = f"value of filter criterion for field '{found.name}' must be of type {wanted}{rest}"
        return error("INVALID_FIELD", message, self.query.text, value.at)


def _collation(found: Field) -> str:
    texts = found.kind not in ("id", "reference", "boolean", "double", "currency", "percent", "int")
    return " collate nocase" if texts else ""


def _like_pattern(value: Token) -> str:
    r"""`%` and `_` stand for anything unless a backslash is before them; every other escape is resolved."""

    def written(found: re.Match[str]) -> str:
        letter = _ESCAPES.get(found[1], found[1])
        return f"\\{letter}" if letter in "%_\\" else letter

    return re.sub(r"\\(.)", written, value.text[1:-1])
