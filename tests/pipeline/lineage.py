"""Which landed fields a column of a cleaned model is made of, read from the SQL itself (sqlglot).

A dictionary counts as a function: what comes out of it is made of the value that it is joined on. Scalars of a landed
JSON are fields of their own, named `column.path`.
"""

from __future__ import annotations

from functools import lru_cache

from sqlglot import exp, parse_one
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, build_scope

Fields = frozenset[tuple[str, str]]  # (landed table `raw_<source>.<objects>`, field)


class Lineage:
    """Column lineage over compiled models.

    `models` maps a model's name to its compiled SQL, `columns` each table or view `schema.name` to its columns and
    types: what `select *` stands for.
    """

    def __init__(self, models: dict[str, str], columns: dict[str, dict[str, str]]) -> None:
        self.models = models
        self.schema: dict[str, dict[str, dict[str, str]]] = {}
        for table, its in columns.items():
            schema, name = table.split(".")
            self.schema.setdefault(schema, {})[name] = its
        self._scopes: dict[str, Scope] = {}
        self.fields_of = lru_cache(maxsize=None)(self._fields_of)

    def columns(self, model: str) -> list[str]:
        """The columns of `model`, in order."""
        return [selected.alias_or_name for selected in self._scope(model).expression.selects]

    def _scope(self, model: str) -> Scope:
        if model not in self._scopes:
            tree = parse_one(self.models[model], dialect="duckdb")
            for table in tree.find_all(exp.Table):
                table.set("catalog", None)
            qualified = qualify(
                tree, dialect="duckdb", schema=self.schema, validate_qualify_columns=False, quote_identifiers=False
            )
            self._scopes[model] = build_scope(qualified)
        return self._scopes[model]

    def _fields_of(self, model: str, column: str) -> Fields:
        """The landed fields that `model`.`column` is made of."""
        return self._of_output(self._scope(model), column)

    def _of_output(self, scope: Scope, column: str) -> Fields:
        if scope.set_operation_scopes:
            place = [selected.alias_or_name for selected in scope.expression.selects].index(column)
            found: Fields = frozenset()
            for branch in scope.set_operation_scopes:
                found |= self._of_output(branch, branch.expression.selects[place].alias_or_name)
            return found
        for selected in scope.expression.selects:
            if selected.alias_or_name == column:
                return self._of_expression(scope, selected)
        return frozenset()

    def _of_expression(self, scope: Scope, expression: exp.Expression) -> Fields:
        if isinstance(expression, exp.Column):
            return self._of_column(scope, expression)
        if isinstance(expression, exp.JSONExtract | exp.JSONExtractScalar):
            path = expression.expression.sql().strip("'\"").removeprefix("$.")
            return frozenset((table, f"{name}.{path}") for table, name in self._of_expression(scope, expression.this))
        if isinstance(expression, exp.Subquery | exp.Exists):
            return frozenset()  # versions and rules, no field of the record
        found: Fields = frozenset()
        for child in expression.iter_expressions():
            found |= self._of_expression(scope, child)
        return found

    def _of_column(self, scope: Scope, column: exp.Column) -> Fields:
        source = scope.sources.get(column.table)
        if source is None:
            return frozenset()
        if isinstance(source, exp.Table):
            return self._of_table(source, column.name)
        if _reads_dictionary(source):
            return self._of_expression(scope, _value_looked_up(scope, column.table))
        return self._of_output(source, column.name)

    def _of_table(self, table: exp.Table, column: str) -> Fields:
        if table.db.startswith("raw_"):
            return frozenset({(f"{table.db}.{table.name}", column)})
        if table.name in self.models and table.db == "staging":
            return self.fields_of(table.name, column)
        return frozenset()


def _reads_dictionary(scope: Scope) -> bool:
    tables = [source for source in scope.sources.values() if isinstance(source, exp.Table)]
    return len(tables) == 1 and tables[0].name.endswith("_dictionary")


def _value_looked_up(scope: Scope, alias: str) -> exp.Expression:
    """What a dictionary's raw_value is compared with where it is joined as `alias`."""
    for join in scope.expression.args.get("joins") or ():
        if join.alias_or_name == alias:
            for equality in join.args["on"].find_all(exp.EQ):
                sides = {side.sql(): side for side in (equality.left, equality.right)}
                if value := sides.pop(f"{alias}.raw_value", None):
                    assert value and len(sides) == 1
                    return next(iter(sides.values()))
    raise AssertionError(f"{alias} is not joined on its raw_value")
