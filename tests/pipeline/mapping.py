"""Does the mapping seed tell the truth? What seeds/mapping/field_mappings.csv says, against what the SQL does.

Every problem is one sentence that names the field, the model and what to do about it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from lineage import Lineage

SEED = "seeds/mapping/field_mappings.csv"
# What the contract of a landed table adds to the source's own fields, and the settings of a spreadsheet.
TECHNICAL_FIELDS = {
    "source_id", "source_updated_at", "is_deleted", "content_hash", "_dlt_load_id", "_dlt_id", "source_system",
    "file_name", "default_country", "date_format", "timezone", "winner_id",
}  # fmt: skip
TECHNICAL_COLUMNS = {
    "record_key", "source_system", "source_object", "source_id", "first_landed_at", "load_id", "record_hash",
    "is_outdated", "outdated_rule", "issues", "is_deleted", "source_updated_at", "custom_fields", "person_kind",
    "nickname",
    "phone_extension", "phone_type", "phone_2", "email_is_role", "email_is_disposable", "legal_form", "company_key",
    "address_key", "postal_code_suffix", "email_match_key", "email_2_match_key", "phone_match_key", "mobile_match_key",
}  # fmt: skip

Row = dict[str, str]
Object = tuple[str, str]  # source_system, source_object


def model_of(row: Row) -> str | None:
    """The model that a row of the seed speaks about; None for a field that is ignored."""
    if row["target_entity"] == "ignored":
        return None
    if row["target_entity"] == "account":
        return f"cln_{row['source_system']}__accounts"  # whatever the source calls its companies
    prefix = "stg" if row["target_entity"] == "staging" else "cln"
    return f"{prefix}_{row['source_system']}__{row['source_object']}"


def problems(lineage: Lineage, rows: list[Row], landed: dict[Object, list[str]]) -> list[str]:
    """Everything in which seed, SQL and landed fields disagree; `landed` holds the declared fields of each object."""
    return [
        *_said_but_not_done(lineage, rows),
        *_done_but_not_said(lineage, rows),
        *_landed_and_forgotten(lineage, rows, landed),
    ]


def _fields(lineage: Lineage, model: str, column: str) -> set[str]:
    """The source fields of a column: of the value as written, where it is kept beside the clean one."""
    written = f"{column}_raw"
    found = lineage.fields_of(model, written if written in lineage.columns(model) else column)
    return {field for _, field in found} - TECHNICAL_FIELDS


def _said_but_not_done(lineage: Lineage, rows: list[Row]) -> Iterator[str]:
    for row in rows:
        model = model_of(row)
        said = f"{SEED} says that {row['source_system']}.{row['source_object']}.{row['source_field']} becomes"
        if model is None or row["target_field"] == "person_kind":
            continue
        if not {row["target_field"], f"{row['target_field']}_raw"} & set(lineage.columns(model)):
            yield f"{said} {row['target_field']}, which {model} does not have: correct the row or the model"
            continue
        made_of = _fields(lineage, model, row["target_field"])
        parsed = {field for _, field in lineage.fields_of(model, row["target_field"])}  # of the name, of the address
        if row["source_field"] not in made_of | parsed:
            yield (
                f"{said} {row['target_field']}, but {model} makes {row['target_field']} of "
                f"{', '.join(sorted(made_of)) or 'nothing'}: correct the row, or the field in the staging model"
            )


def _done_but_not_said(lineage: Lineage, rows: list[Row]) -> Iterator[str]:
    said: dict[tuple[str, str], set[str]] = defaultdict(set)
    context: dict[Object, set[str]] = defaultdict(set)
    objects: dict[str, Object] = {}
    for row in rows:
        model = model_of(row)
        if model is not None:
            said[model, row["target_field"]].add(row["source_field"])
            objects[model] = row["source_system"], row["source_object"]
            if row["target_field"] in ("currency", "country"):  # decide how an amount, a phone, a postal code is read
                context[objects[model]].add(row["source_field"])
    for model, (system, name) in objects.items():
        for column in lineage.columns(model):
            if column in TECHNICAL_COLUMNS or column.endswith(("_raw", "_issue")):
                continue
            if model.startswith("stg_") and (model, column) not in said:
                continue  # goes on into a cleaned model, which is looked at itself
            unsaid = _fields(lineage, model, column) - said[model, column]
            if column not in ("currency", "country"):
                unsaid -= context[system, name]
            for field in sorted(unsaid):
                yield (
                    f"{model} makes {column} of {system}.{name}.{field}, which {SEED} does not say: "
                    f"add the row, or correct the field in the staging model"
                )


def _landed_and_forgotten(lineage: Lineage, rows: list[Row], landed: dict[Object, list[str]]) -> Iterator[str]:
    mapped: dict[Object, set[str]] = defaultdict(set)
    used: dict[Object, set[str]] = defaultdict(set)
    for row in rows:
        key = row["source_system"], row["source_object"]
        mapped[key].add(row["source_field"])
        if row["target_entity"] != "ignored":
            used[key].add(row["source_field"])
        elif not row["note"]:
            yield f"{SEED} ignores {'.'.join(key)}.{row['source_field']} without a reason: say it in its note"
    for (system, name), fields in landed.items():
        for field in fields:
            known = mapped[system, name]
            if field not in TECHNICAL_FIELDS and not any(one == field or one.startswith(f"{field}.") for one in known):
                yield (
                    f"raw_{system}.{name} has the field {field}, which {SEED} neither maps nor ignores: add a row with "
                    f"its target, or with `ignored` and the reason in its note"
                )
        model = f"stg_{system}__{name}"
        for column in lineage.columns(model):
            if column in TECHNICAL_COLUMNS or column == "typing_issue":
                continue
            for field in sorted(_fields(lineage, model, column) - used[system, name]):
                yield (
                    f"{model} keeps {system}.{name}.{field} as {column}, which {SEED} does not say: add a row with the "
                    f"target entity `staging`, or with what it becomes in the cleaned model"
                )
