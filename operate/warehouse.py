"""The pipeline's own work file, opened for looking: under the lock, with every function its views call."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from operate.environment import Environment
from operate.errors import UserError
from operate.lock import warehouse_lock


@contextmanager
def open_warehouse(environment: Environment) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to the warehouse in UTC, with the UDFs registered; waits for the lock, writes nothing.

    Raises UserError when nothing was ever built, or when a foreign program holds the file.
    """
    if not environment.warehouse.exists():
        raise UserError(
            f"environment {environment.name!r} has no warehouse yet: start with `c360 run --env {environment.name}`"
        )
    from udfs.duckdb_plugin import register  # imports the phone and address libraries: not for every command

    with warehouse_lock(environment):
        # Not read-only: after a crash the file has a log to replay, which a read-only opener may not.
        try:
            connection = duckdb.connect(str(environment.warehouse))
        except duckdb.IOException as error:
            if "lock" not in str(error).lower():
                raise
            raise UserError(
                f"the warehouse {environment.warehouse} is open in a program that does not take the lock: "
                f"close it and try again (analysts read {environment.published})"
            ) from error
        try:
            connection.execute("set TimeZone = 'UTC'")
            register(connection, environment)
            yield connection
        finally:
            connection.close()


def table_exists(connection: duckdb.DuckDBPyConnection, schema: str, table: str) -> bool:
    """Whether `schema.table` (a table or view) is in the connection's own database."""
    found = connection.execute(
        "select 1 from information_schema.tables "
        "where table_catalog = current_database() and table_schema = ? and table_name = ?",
        [schema, table],
    )
    return bool(found.fetchall())
