"""Faults of the ERP: what happens to a database, done to the real one.

    500              the database accepts no connections
    slow             each new connection waits
    clock_skew       times of change are ahead: those there are, and those of the days to come
    schema_new       customers get a column more, with a value in every row
    schema_dropped   customers.company_name is dropped
    schema_retyped   customers.birth_date becomes text, day first
    schema_renamed   customers.company_name is renamed

`end_faults` makes the database as the world says, whatever was done to it.
"""

from __future__ import annotations

import psycopg
from psycopg import sql

from sandbox.erp import reload_world
from sandbox.world import World

KINDS = ("500", "slow", "clock_skew", "schema_new", "schema_dropped", "schema_retyped", "schema_renamed")
_SCHEMA = {
    "schema_new": "alter table customers add column new_field text not null default 'new'",
    "schema_dropped": "alter table customers drop column company_name",
    "schema_retyped": "alter table customers alter column birth_date type text using to_char(birth_date, 'DD.MM.YYYY')",
    "schema_renamed": "alter table customers rename column company_name to company_title",
}


def begin_fault(dsn: str, kind: str, seconds: float) -> None:
    """Do to the ERP at `dsn` what fault `kind` (one of KINDS) is; `seconds` is the delay or the skew."""
    if kind == "500":
        with _admin(dsn) as connection:
            _allow_connections(connection, dsn, "false")
            connection.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = 'erp'")
        return
    if kind == "slow":
        with _admin(dsn) as connection:
            connection.execute(sql.SQL("alter system set post_auth_delay = {}").format(sql.Literal(int(seconds))))
            connection.execute("select pg_reload_conf()")
        return
    with psycopg.connect(dsn) as connection:
        if kind == "clock_skew":
            connection.execute("update customers set updated_at = updated_at + make_interval(secs => %s)", (seconds,))
        else:
            connection.execute(_SCHEMA[kind])


def end_faults(dsn: str, world: World) -> None:
    """End every fault of the ERP at `dsn`: its tables show the world again."""
    with _admin(dsn) as connection:
        _allow_connections(connection, dsn, "true")
        connection.execute("alter system reset post_auth_delay")
        connection.execute("select pg_reload_conf()")
    reload_world(dsn, world)


def _admin(dsn: str) -> psycopg.Connection:
    """A connection to the server's own database: the ERP's may accept none."""
    return psycopg.connect(dsn.rpartition("/")[0] + "/postgres", autocommit=True)


def _allow_connections(connection: psycopg.Connection, dsn: str, allowed: str) -> None:
    name = sql.Identifier(dsn.rpartition("/")[2])
    connection.execute(sql.SQL("alter database {} allow_connections " + allowed).format(name))
