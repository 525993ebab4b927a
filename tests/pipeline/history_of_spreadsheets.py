"""Random histories of three spreadsheets in an inbox, and what their rows then say."""

from __future__ import annotations

import csv
import io
import random
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from ingest.run import LandingResult, run
from operate import clock
from operate.environment import Environment

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
COLUMNS = {"Name": "full_name", "Mail": "email", "Tel": "phone", "Born": "date_of_birth", "Changed": "updated_at"}
VALUES = (
    "Ada", "Zoë Ünal", "O'Neil, Jr.", "007", 'say "hi"', "two\nlines", " spaced ", "semi;colon", "1955-12-10", "null",
    "", "", "   ",
)  # fmt: skip
FILES = ("club.csv", "shop.xlsx", "list.parquet")
EVENTS = (
    "add", "add", "change", "change", "remove", "remove", "older", "vanish", "come_back", "spoil", "mend", "refuse",
    "accept", "reorder",
)  # fmt: skip
Row = dict[str, str]


class SpreadsheetHistory:
    """One history in the making: the files, and a warehouse that follows them.

    `known` is what must be live: the good rows of each file as of its last landing.
    """

    source = "spreadsheets"

    def __init__(self, folder: Path, chance: random.Random) -> None:
        self.chance = chance
        self.told: list[str] = []
        self.moment = START
        shutil.rmtree(folder, ignore_errors=True)
        self.environment = Environment("trial", folder / "trial").create()
        self.rows: dict[str, dict[str, Row]] = {name: {} for name in FILES}
        self.before: dict[str, list[dict[str, Row]]] = {name: [] for name in FILES}
        self.spoilt: dict[str, dict[str, str]] = {name: {} for name in FILES}  # key -> what is wrong with its row
        self.absent: set[str] = set()
        self.refused: dict[str, str] = {}
        self.headers: dict[str, list[str]] = {name: ["No", *COLUMNS] for name in FILES}
        self.known: dict[str, dict[str, Row]] = {name: {} for name in FILES}
        self.snapshots: list[Path] = []
        self.made = 0
        for name in FILES:
            for _ in range(3):
                self._add(name)

    # ---------------------------------------------------------------- events
    def event(self, kind: str) -> None:
        """One thing happens to one file."""
        self.moment += timedelta(minutes=1)
        name = self.chance.choice(FILES)
        self.before[name].append({key: dict(row) for key, row in self.rows[name].items()})
        getattr(self, kind)(name)

    def _value(self, name: str) -> str:
        value = self.chance.choice(VALUES)
        return value.replace("\n", " ") if name.endswith("xlsx") else value

    def _add(self, name: str) -> None:
        self.made += 1
        self.rows[name][f"{self.made:03d}"] = {header: self._value(name) for header in COLUMNS}

    def add(self, name: str) -> None:
        self._add(name)
        self.told.append(f"{name}: add {self.made:03d}")

    def _key(self, name: str) -> str:
        return self.chance.choice(sorted(self.rows[name])) if self.rows[name] else ""

    def change(self, name: str) -> None:
        if key := self._key(name):
            header = self.chance.choice(list(COLUMNS))
            self.rows[name][key][header] = self._value(name)
            self.told.append(f"{name}: change {key} {header} to {self.rows[name][key][header]!r}")

    def remove(self, name: str) -> None:
        if key := self._key(name):
            del self.rows[name][key]
            self.spoilt[name].pop(key, None)
            self.told.append(f"{name}: remove {key}")

    def older(self, name: str) -> None:
        """The file is replaced by one it was before."""
        self.rows[name] = {key: dict(row) for key, row in self.chance.choice(self.before[name]).items()}
        self.spoilt[name] = {}
        self.told.append(f"{name}: an older one, {sorted(self.rows[name])}")

    def vanish(self, name: str) -> None:
        self.absent.add(name)
        self.told.append(f"{name}: vanish")

    def come_back(self, name: str) -> None:
        self.absent.discard(name)
        self.told.append(f"{name}: come back")

    def spoil(self, name: str) -> None:
        """A row is bad: a NUL in a cell, or its key is blank."""
        key = self._key(name)
        if key and not name.endswith("xlsx"):  # XML holds no NUL
            self.spoilt[name][key] = self.chance.choice(("nul", "blank"))
        elif key:
            self.spoilt[name][key] = "blank"
        self.told.append(f"{name}: spoil {key} {self.spoilt[name].get(key)}")

    def mend(self, name: str) -> None:
        self.spoilt[name] = {}
        self.told.append(f"{name}: mend")

    def refuse(self, name: str) -> None:
        """The file is one that is refused whole."""
        if self.rows[name]:
            self.refused[name] = self.chance.choice(("repeated", "header", "cut", "field"))
            self.told.append(f"{name}: refuse, {self.refused[name]}")

    def accept(self, name: str) -> None:
        self.refused.pop(name, None)
        self.told.append(f"{name}: accept")

    def reorder(self, name: str) -> None:
        """The columns, one that is not mapped among them, stand in another order."""
        self.headers[name] = ["No", *COLUMNS, *self.chance.sample(["Note"], self.chance.randint(0, 1))]
        self.chance.shuffle(self.headers[name])
        self.told.append(f"{name}: columns {self.headers[name]}")

    # ---------------------------------------------------------------- landings
    def land(self) -> LandingResult:
        """Write the files and land them; a refused file must refuse all, else `known` moves on."""
        self._write()
        return self._landed()

    def _landed(self) -> LandingResult:
        self.moment += timedelta(minutes=1)
        clock.set_now(self.environment, self.moment)
        result = run(self.environment, ["spreadsheets"], lambda line: None)
        wrong = {name for name in self.refused if name not in self.absent}
        self.told.append(f"land: {result.landed} landed, {result.rejected} rejected, refused {sorted(wrong)}")
        assert bool(result.failures) == bool(wrong), [item.error for item in result.failures]
        for name in wrong:
            assert name in result.failures[0].error
        if not wrong:
            for name in FILES:
                if name not in self.absent:
                    self._learn(name)
        return result

    def _learn(self, name: str) -> None:
        """A row with a blank key is nobody's: its record is not in the file. One with a NUL stays as it was."""
        known = self.known[name]
        fresh = {}
        for key, row in self.rows[name].items():
            what = self.spoilt[name].get(key)
            if what is None:
                fresh[key] = row
            elif what == "nul" and key in known:
                fresh[key] = known[key]
        self.known[name] = {key: dict(row) for key, row in fresh.items()}

    def settle(self) -> None:
        """Every file is good and lands."""
        self.refused, self.spoilt = {}, {name: {} for name in FILES}
        self.land()

    def replay(self) -> list[LandingResult]:
        """The same files once more; then from some earlier day on every state of the files, which ends as it was."""
        again = [self._landed()]
        final = {name: {key: dict(row) for key, row in rows.items()} for name, rows in self.known.items()}
        for place in range(self.chance.randrange(len(self.snapshots)), len(self.snapshots)):
            shutil.rmtree(self.environment.inbox)
            shutil.copytree(self.snapshots[place], self.environment.inbox)
            run(self.environment, ["spreadsheets"], lambda line: None)
        self.known = final
        again.append(self._landed())
        return again

    def truth(self) -> dict[str, dict[str, tuple[bool, str | None, dict[str, Any]]]]:
        """Per staging model, record_key -> (ended, heir, values) of every row that must be live."""
        found = {}
        for name, rows in self.known.items():
            for key, row in rows.items():
                values = {field: row[header] if row[header].strip() else None for header, field in COLUMNS.items()}
                values |= {"file_name": name, "default_country": "DE", "job_title": None}
                found[f"{name.partition('.')[0]}:people:{key}"] = (False, None, values)
        return {"stg_spreadsheets__people": found}

    # ---------------------------------------------------------------- files
    def _write(self) -> None:
        for name in FILES:
            path = self.environment.inbox / name
            path.unlink(missing_ok=True)
            system = name.partition(".")[0]
            what = self.refused.get(name)
            columns = COLUMNS | ({"Tel": "telephone"} if what == "field" else {})
            settings = {"source_system": system, "key": "No", "columns": columns, "default_country": "de"}
            path.with_suffix(".yml").write_text(yaml.safe_dump(settings), encoding="utf-8")
            if name not in self.absent:
                path.write_bytes(self._content(name, what))
        folder = self.environment.folder / "snapshots" / f"{len(self.snapshots):03d}"
        shutil.copytree(self.environment.inbox, folder)
        self.snapshots.append(folder)

    def _content(self, name: str, what: str | None) -> bytes:
        headers = list(self.headers[name])
        rows = []
        for key, row in self.rows[name].items():
            wrong = self.spoilt[name].get(key)
            shown = {"No": f" {key} ", "Note": "x", **row}
            if wrong == "nul":
                shown["Name"] = "nul \0 byte"
            elif wrong == "blank":
                shown["No"] = "  "
            rows.append([shown[header] for header in headers])
        if what == "repeated":
            whole = [self.rows[name][key] | {"No": key, "Note": ""} for key in [next(iter(self.rows[name]))] * 2]
            rows += [[row[header] for header in headers] for row in whole]
        if what == "header":
            headers[headers.index("Mail")] = "Post"
        data = {"csv": _csv, "xlsx": _xlsx, "parquet": _parquet}[name.partition(".")[2]](headers, rows)
        if what == "cut":
            return data[: len(data) // 2] if not name.endswith("csv") else data + b'\r\n"never closed'
        return data


def _csv(headers: list[str], rows: list[list[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows([headers, *rows])
    return text.getvalue().encode("utf-8-sig")


def _xlsx(headers: list[str], rows: list[list[str]]) -> bytes:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("People")
    for row in (headers, *rows):
        sheet.append([value or None for value in row])
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def _parquet(headers: list[str], rows: list[list[str]]) -> bytes:
    columns = [[row[place] or None for row in rows] for place in range(len(headers))]
    buffer = io.BytesIO()
    pq.write_table(pa.table([pa.array(column, pa.string()) for column in columns], headers), buffer)
    return buffer.getvalue()
