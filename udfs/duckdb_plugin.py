"""The dbt-duckdb plugin that gives every connection our functions, so that plain `dbt build` has them.

It also takes the warehouse lock before the file is opened, and offers the three values that a model
may not take from elsewhere: the clock, the keyed customer id, and the version of the UDFs.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow as pa
from dbt.adapters.duckdb.plugins import BasePlugin

from operate import clock
from operate.environment import Environment
from operate.lock import warehouse_lock
from udfs.customer_id import mint_customer_id, read_or_create_key
from udfs.registry import FUNCTIONS, Udf, udf_version


class Plugin(BasePlugin):
    """Named in profiles.yml; dbt-duckdb makes one per process and configures each connection with it."""

    def initialize(self, plugin_config: dict) -> None:
        self._held = contextlib.ExitStack()
        self._environment = _environment_of(self.creds.path if self.creds else ":memory:")

    def update_connection_config(self, creds, config: dict) -> None:
        # Called right before duckdb.connect: the one moment at which waiting is still possible.
        if self._environment is not None:
            self._held.close()
            self._held.enter_context(warehouse_lock(self._environment, "dbt"))

    def configure_connection(self, conn: duckdb.DuckDBPyConnection) -> None:
        register(conn, self._environment)


def _environment_of(path: str) -> Environment | None:
    if path == ":memory:":
        return None
    folder = Path(path).resolve().parent
    return Environment(folder.name, folder).create()


def register(conn: duckdb.DuckDBPyConnection, environment: Environment | None) -> None:
    """Register every UDF on `conn`; without an environment the clock and the id key are left out."""
    for udf in FUNCTIONS:
        conn.create_function(
            udf.name,
            vectorised(udf, conn),
            [duckdb.dtype(sql_type) for sql_type in udf.takes],
            duckdb.dtype(udf.gives),
            type="arrow",
            null_handling="special",
        )
    frozen_version = udf_version()
    conn.create_function("udf_version", lambda: frozen_version, [], "VARCHAR")
    if environment is None:
        return
    frozen_now = clock.now(environment).replace(tzinfo=None)
    key = read_or_create_key(environment)
    conn.create_function("clock_now", lambda: frozen_now, [], "TIMESTAMP")
    conn.create_function(
        "mint_customer_id",
        lambda record_key, ordinal: mint_customer_id(key, record_key, ordinal),
        ["VARCHAR", "BIGINT"],
        "VARCHAR",
    )


def vectorised(udf: Udf, conn: duckdb.DuckDBPyConnection) -> Callable[..., pa.Array]:
    """`udf` over Arrow columns, computing each distinct input of a batch once."""
    result_type = conn.sql(f"select cast(null as {udf.gives}) as result").to_arrow_table().schema.field(0).type
    hashable = not any(sql_type.endswith("[]") for sql_type in udf.takes)

    def over_columns(*columns: pa.ChunkedArray) -> pa.Array:
        rows = zip(*(column.to_pylist() for column in columns), strict=True)
        if not hashable:
            return pa.array([udf.function(*row) for row in rows], type=result_type)
        known: dict[tuple, object] = {}
        results = []
        for row in rows:
            if row not in known:
                known[row] = udf.function(*row)
            results.append(known[row])
        return pa.array(results, type=result_type)

    # DuckDB counts the parameters of what it is given, so the arity is spelled out.
    by_arity = {
        1: lambda a: over_columns(a),
        2: lambda a, b: over_columns(a, b),
        3: lambda a, b, c: over_columns(a, b, c),
    }
    return by_arity[len(udf.takes)]
