"""The quality report as one self-contained HTML page: no script, no outside request, light and dark."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from operate.report import Quality

STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #57606a; --line: #d0d7de; --paper: #ffffff;
  --panel: #f6f8fa; --good: #116329; --warn: #7d4e00; --bad: #a40e26; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --soft: #9da7b1; --line: #3d444d; --paper: #0d1117;
  --panel: #161b22; --good: #56d364; --warn: #e3b341; --bad: #ff7b72; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 74rem; padding: 1.5rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif; }
h1 { margin: 0; font-size: 1.6rem; } h2 { margin: 2.2rem 0 .6rem; font-size: 1.2rem; }
p { margin: .4rem 0; max-width: 60rem; } .soft, caption { color: var(--soft); }
.verdict { border-left: .4rem solid; padding: .4rem .9rem; margin: 1rem 0; background: var(--panel); }
.good { color: var(--good); } .warn { color: var(--warn); } .bad { color: var(--bad); }
.verdict.good { border-color: var(--good); } .verdict.bad { border-color: var(--bad); }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(10rem, 1fr)); gap: .8rem; margin: 1rem 0; }
dl div { background: var(--panel); padding: .6rem .9rem; border-radius: .3rem; }
dt { color: var(--soft); font-size: .9rem; } dd { margin: 0; font-size: 1.3rem; }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-size: .95rem; }
caption { text-align: left; padding-bottom: .3rem; }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem; border-bottom: 1px solid var(--line); }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
td.name { overflow-wrap: anywhere; } td.status { font-weight: 600; white-space: nowrap; }
details { margin: .4rem 0; } summary { cursor: pointer; padding: .3rem 0; font-weight: 600; }
:focus-visible { outline: 2px solid currentColor; outline-offset: 2px; }
@media print { details { display: block; } }
"""
# Signs stand beside the words: colour alone tells nothing to some readers.
STATUS = {
    "pass": ("good", "✓ passed"),
    "success": ("good", "✓ passed"),
    "ok": ("good", "✓ ok"),
    "warn": ("warn", "! warning"),
    "skipped": ("warn", "– skipped"),
    "fail": ("bad", "✗ failed"),
    "error": ("bad", "✗ error"),
    "failed": ("bad", "✗ failed"),
}


def render_html(quality: Quality) -> str:
    """The whole page."""
    title = f"Quality of customer_360, environment {escape(quality.environment)}"
    body = "\n".join(_sections(quality))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<header>\n<h1>{title}</h1>\n"
        f'<p class="soft">Written {escape(quality.created_at)} after build {escape(quality.run_id)}.</p>\n</header>\n'
        f"<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def _sections(quality: Quality) -> Iterator[str]:
    yield _verdict(quality)
    yield _customers(quality)
    yield "<h2>Quality indicators</h2>"
    yield _kpis(quality)
    yield "<h2>Sources</h2>"
    yield _landing(quality)
    yield _sources(quality)
    yield _drift(quality)
    yield "<h2>Records</h2>"
    yield _record_quality(quality)
    yield _parsing(quality)
    yield "<h2>Models and tests by layer</h2>"
    yield _layers(quality)
    for layer in quality.layers:
        yield _nodes(quality, layer)


def _verdict(quality: Quality) -> str:
    failed = [node for node in quality.nodes if node["status"] in ("error", "fail", "runtime error")]
    tests = [node for node in quality.nodes if node["kind"] in ("test", "unit_test")]
    passed = sum(node["status"] in ("pass", "success") for node in tests)
    if quality.outcome == "ok":
        text = f"✓ The build is clean: {passed:,} of {len(tests):,} tests passed, none failed."
        problems = ""
    else:
        text = f"✗ The build failed: {len(failed):,} models or tests. Nothing of it was promoted or published."
        items = "".join(
            f"<li><strong>{escape(node['name'])}</strong>: {escape(node['message'])}"
            f"{' Remedy: ' + escape(node['remedy']) if node['remedy'] else ''}</li>"
            for node in failed
        )
        problems = f"<ul>{items}</ul>"
    breached = quality.breached
    if breached:
        names = ", ".join(escape(kpi["kpi"].replace("_", " ")) for kpi in breached)
        problems += f'<p class="bad">✗ Beyond their threshold: {names}.</p>'
    kind = "good" if quality.outcome == "ok" else "bad"
    return f'<div class="verdict {kind}" role="status"><p><strong>{text}</strong></p>{problems}</div>'


def _customers(quality: Quality) -> str:
    facts = {key.replace("_", " "): value for key, value in quality.customers.items()}
    facts |= {f"{event.replace('_', ' ')} in this build": count for event, count in quality.events.items()}
    if quality.published:
        facts["published version"] = quality.published["version"]
    if not facts:
        return '<p class="soft">No customers yet.</p>'
    items = "".join(f"<div><dt>{escape(name)}</dt><dd>{_number(value)}</dd></div>" for name, value in facts.items())
    return f"<h2>Customers and ids</h2><dl>{items}</dl>"


def _kpis(quality: Quality) -> str:
    def row(kpi: dict[str, Any]) -> Iterable[tuple[str, str]]:
        unmeasured = kpi["measured_value"] is None
        relation = "at most" if kpi["direction"] == "at_most" else "at least"
        yield "name", escape(kpi["kpi"].replace("_", " "))
        yield "number", "not measured" if unmeasured else f"{_number(kpi['measured_value'])} {escape(kpi['unit'])}"
        yield "number", f"{relation} {_number(kpi['threshold'])}"
        yield from [_status("failed", "✗ breached") if kpi["is_breached"] else _status("ok", "✓ within")]
        yield "", escape(kpi["description"])
        yield "", escape(kpi["remedy"]) if kpi["is_breached"] else ""

    headings = ("indicator", "+value", "+threshold", "status", "what it is", "remedy")
    return _table("Each indicator with its threshold from quality_kpis.csv", headings, quality.kpis, row)


def _landing(quality: Quality) -> str:
    def row(run: dict[str, Any]) -> Iterable[tuple[str, str]]:
        yield "name", escape(f"{run['source_system']} {run['source_object']}")
        yield _status(run["outcome"])
        for column in ("served", "landed", "unchanged", "rejected", "deleted"):
            yield "number", _number(run[f"rows_{column}"])
        yield "", escape(str(run["ended_at"] or "")[:19])
        yield "name", escape(run["error"] or "")

    headings = (
        "source", "status", "+served", "+landed", "+unchanged", "+rejected", "+deletions", "ended (UTC)", "error"
    )  # fmt: skip
    return _table("The last landing run of each source object", headings, quality.landing, row)


def _sources(quality: Quality) -> str:
    def row(source: dict[str, Any]) -> Iterable[tuple[str, str]]:
        yield "name", escape(f"{source['source_system']} {source['source_object']}")
        yield "", escape(source["owner"] or "not in the inventory")
        yield _source_status(source)
        yield "", escape(str(source["last_landed_at"] or "")[:19])
        for value, unit in (("latency_minutes", "min"), ("latency_expectation_minutes", "min")):
            yield "number", _with_unit(source[value], unit)
        for value, unit in (("data_age_hours", "h"), ("max_data_age_hours", "h")):
            yield "number", _with_unit(source[value], unit)

    headings = (
        "source", "owner", "status", "last landed (UTC)", "+latency", "+expected at most", "+data age",
        "+expected at most",
    )  # fmt: skip
    return _table("Each source object against what the inventory expects of it", headings, quality.sources, row)


def _source_status(source: dict[str, Any]) -> tuple[str, str]:
    if source["is_never_landed"]:
        return _status("failed", "✗ never landed") if source["is_enabled"] else _status("skipped", "– never tried")
    wrong = [word for word in ("late", "stale") if source[f"is_{word}"]]
    return _status("warn", f"! {' and '.join(wrong)}") if wrong else _status("ok", "✓ as expected")


def _with_unit(value: Any, unit: str) -> str:
    return "" if value is None else f"{_number(value)} {unit}"


def _drift(quality: Quality) -> str:
    def row(field: dict[str, Any]) -> Iterable[tuple[str, str]]:
        yield "name", escape(f"{field['source_system']} {field['source_object']}")
        yield "", escape(field["field_name"])
        yield "", escape(field["field_type"] or "")
        yield "", "landed in custom_fields" if field["standing"] == "custom" else escape(field["standing"])
        note = f" ({field['note']})" if field["note"] else ""
        yield (
            "",
            escape("there from the first reading" if field["last_change"] == "first" else field["last_change"] + note),
        )
        yield "", escape(str(field["changed_at"])[:19])

    headings = ("source", "field", "type", "standing", "change", "noticed (UTC)")
    return _table("Drift: fields that nobody has mapped, and fields that changed", headings, quality.drift, row)


def _record_quality(quality: Quality) -> str:
    def row(model: dict[str, Any]) -> Iterable[tuple[str, str]]:
        yield "name", escape(model["model"])
        for column in ("records", "records_in_error", "records_flagged"):
            yield "number", _number(model[column])
        yield "number", _with_unit(100 * model["records_in_error"] / model["records"], "%")

    headings = ("cleaned model", "+records", "+in error", "+flagged", "+error rate")
    return _table("Cleaned records and what the quality rules found", headings, quality.record_quality, row)


def _parsing(quality: Quality) -> str:
    def row(dictionary: dict[str, Any]) -> Iterable[tuple[str, str]]:
        yield "name", escape(dictionary["dictionary"])
        yield "number", _number(dictionary["parsed_values"])
        yield "number", _number(dictionary["changed_values"])
        yield "", escape(str(dictionary["last_changed_at"] or "never")[:19])
        versions = (dictionary["parsed_by_before"], dictionary["parsed_by"])
        yield "", escape(" to ".join(filter(None, versions)))

    headings = ("dictionary", "+values", "+parsed otherwise than before", "last change (UTC)", "versions")
    return _table("Parsed values, and what an upgrade of a library changed", headings, quality.parsing, row)


def _layers(quality: Quality) -> str:
    def row(layer: dict[str, Any]) -> Iterable[tuple[str, str]]:
        yield "name", escape(layer["layer"])
        bad = layer["failed"] or layer["models_failed"]
        yield _status("failed" if bad else "skipped" if layer["skipped"] else "warn" if layer["warned"] else "ok")
        for column in ("models", "models_failed", "tests", "passed", "warned", "failed", "skipped", "seconds"):
            yield "number", _number(layer[column])

    headings = (
        "layer", "status", "+models", "+models failed", "+tests", "+passed", "+warned", "+failed", "+skipped",
        "+seconds",
    )  # fmt: skip
    return _table("Results of the build, in flow order", headings, quality.layers, row)


def _nodes(quality: Quality, layer: dict[str, Any]) -> str:
    nodes = [node for node in quality.nodes if node["layer"] == layer["layer"]]
    order = {"error": 0, "fail": 0, "runtime error": 0, "skipped": 1, "warn": 2}
    nodes.sort(key=lambda node: (order.get(node["status"], 3), node["kind"], node["name"]))

    def row(node: dict[str, Any]) -> Iterable[tuple[str, str]]:
        yield "name", escape(node["name"])
        yield "", escape(node["kind"].replace("_", " "))
        yield _status(node["status"], "✓ built" if node["kind"] == "model" and node["status"] == "success" else None)
        yield "number", _number(node["failures"])
        yield "number", _number(node["seconds"])
        told = node["message"] if node["status"] not in ("pass", "success") else ""
        yield "", escape(" ".join(filter(None, (node["description"], told))))

    table = _table(
        f"Every model and test of {layer['layer']}", ("name", "kind", "status", "+rows found", "+seconds", "about"),
        nodes, row,
    )  # fmt: skip
    is_open = " open" if layer["failed"] or layer["models_failed"] else ""
    return f"<details{is_open}><summary>{escape(layer['layer'])}: {len(nodes)} results</summary>{table}</details>"


def _table(
    caption: str,
    headings: tuple[str, ...],
    items: list[dict[str, Any]],
    row: Callable[[dict[str, Any]], Iterable[tuple[str, str]]],
) -> str:
    """A table; a heading that begins with + is of a column of numbers. `row` gives (class, inner HTML) per cell."""
    if not items:
        return '<p class="soft">Nothing to show yet.</p>'
    head = "".join(
        f'<th scope="col" class="number">{escape(text[1:])}</th>'
        if text.startswith("+")
        else f'<th scope="col">{escape(text)}</th>'
        for text in headings
    )
    body = "".join(
        "<tr>" + "".join(f'<td class="{kind}">{text}</td>' for kind, text in row(item)) + "</tr>\n" for item in items
    )
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{escape(caption)}"><table>'
        f"<caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>\n{body}</tbody></table></div>"
    )


def _status(status: str, text: str | None = None) -> tuple[str, str]:
    kind, words = STATUS.get(status, ("bad", f"✗ {status}"))
    return f"status {kind}", escape(text or words)


def _number(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:,.3f}".rstrip("0").rstrip(".")
    return f"{value:,}" if isinstance(value, int) else escape(str(value))
