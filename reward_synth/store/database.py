"""Opening the database: the engine, its durability, its version, and its errors in one line."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic_core import from_json, to_json
from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from reward_synth.errors import UserError
from reward_synth.store.lock import setup_lock
from reward_synth.store.schema import COUNTED, SCHEMA_VERSION, SUPERSEDED, Base, Evaluation

BUSY_TIMEOUT = 30_000
"""Milliseconds that a writer waits for another process's transaction."""
WRITE_FIRST = "BEGIN IMMEDIATE"
"""Execution option ``begin`` of transactions that write: take SQLite's write lock at once.  One
that reads first and writes later would fail without waiting if another process wrote between."""

DAMAGED = "the file is damaged: restore a copy of it or choose another folder"


def open_engine(url: URL) -> Engine:
    """An engine on ``url`` whose tables exist and have this version of the schema.

    SQLite runs in WAL mode with ``synchronous=FULL``: a committed step survives a power cut.
    Raises UserError for an unusable URL or file and for a database from a newer version.
    """
    engine = _create_engine(url)
    try:
        with readable_errors(engine):
            database = url.database
            if url.get_backend_name() == "sqlite" and database not in (None, "", ":memory:"):
                # Changing the journal mode does not wait for other processes as writes do.
                with setup_lock(Path(database).absolute().parent, 2 * BUSY_TIMEOUT / 1000):
                    with engine.connect().execution_options(begin=None) as connection:
                        connection.exec_driver_sql("PRAGMA journal_mode = WAL")
                    _prepare_tables(engine)
            else:
                _prepare_tables(engine)
    except BaseException:
        engine.dispose()
        raise
    return engine


def parse_url(url: str) -> URL:
    """A SQLAlchemy URL; raises UserError when it is not one."""
    try:
        return make_url(url)
    except ArgumentError as error:
        raise UserError(
            f"{url!r} is not a database URL; write one like sqlite:///runs/reward_synth.db or "
            "postgresql+psycopg://user@host/name"
        ) from error


def _create_engine(url: URL) -> Engine:
    shown = url.render_as_string(hide_password=True)
    try:
        engine = create_engine(
            url,
            # JSON has no NaN: like the worker's messages, a value that is not finite becomes null.
            json_serializer=lambda value: to_json(value, inf_nan_mode="null").decode(),
            json_deserializer=_read_json,
        )
    except NoSuchModuleError as error:
        raise UserError(f"the database URL {shown} names no kind of database known here") from error
    except ImportError as error:
        raise UserError(
            f"the database URL {shown} needs the Python package {error.name}; install it"
        ) from error
    if url.get_backend_name() == "sqlite":
        event.listen(engine, "connect", _configure_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


class DamagedError(Exception):
    """What is stored is not what was written."""


def _read_json(text: str) -> Any:
    try:
        return from_json(text)
    except ValueError as error:
        raise DamagedError(f"a value is not JSON ({error})") from error


def _configure_sqlite(connection: sqlite3.Connection, record: object) -> None:
    connection.isolation_level = None  # _begin_sqlite opens the transactions
    connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT}")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _begin_sqlite(connection: Connection) -> None:
    statement = connection.get_execution_options().get("begin", "BEGIN")
    if statement is not None:
        connection.exec_driver_sql(statement)


def _prepare_tables(engine: Engine) -> None:
    with (
        engine.connect().execution_options(begin=WRITE_FIRST) as connection,
        connection.begin(),
    ):
        tables = set(inspect(connection).get_table_names())
        if "schema_version" not in tables:
            taken = sorted(tables & set(Base.metadata.tables))
            if taken:
                raise UserError(
                    f"{_place(engine)} holds tables of another program ({', '.join(taken)}); "
                    "choose another database"
                )
            Base.metadata.create_all(connection)
            connection.execute(
                text("INSERT INTO schema_version (version) VALUES (:version)"),
                {"version": SCHEMA_VERSION},
            )
            return
        version = connection.execute(text("SELECT MAX(version) FROM schema_version")).scalar_one()
        if version < SCHEMA_VERSION:
            Base.metadata.create_all(connection)
            if version < 3:
                column = "policy_sha256 VARCHAR NOT NULL DEFAULT ''"
                connection.execute(text(f"ALTER TABLE evaluations ADD COLUMN {column}"))
            if version < 4:
                connection.execute(text("ALTER TABLE candidates ADD COLUMN worth FLOAT"))
            if version < 5:
                _let_fitness_be_null(connection)
                connection.execute(text("ALTER TABLE runs ADD COLUMN sweep VARCHAR"))
                connection.execute(text("ALTER TABLE runs ADD COLUMN cell VARCHAR"))
                connection.execute(text("CREATE INDEX ix_runs_sweep ON runs (sweep)"))
            for index in COUNTED:
                index.create(connection, checkfirst=True)
            for name in SUPERSEDED:
                connection.execute(text(f"DROP INDEX IF EXISTS {name}"))
            connection.execute(
                text("INSERT INTO schema_version (version) VALUES (:version)"),
                {"version": SCHEMA_VERSION},
            )
    if version > SCHEMA_VERSION:
        raise UserError(
            f"{_place(engine)} was made by a newer RewardSynth (schema {version}, this one reads "
            f"{SCHEMA_VERSION}); upgrade reward-synth or choose another folder with --runs-dir"
        )


def _let_fitness_be_null(connection: Connection) -> None:
    """SQLite cannot change a column: its table is made anew, and no other one refers to it."""
    if connection.dialect.name != "sqlite":
        column = "evaluations ALTER COLUMN fitness DROP NOT NULL"
        connection.execute(text(f"ALTER TABLE {column}"))
        return
    columns = ", ".join(c["name"] for c in inspect(connection).get_columns("evaluations"))
    connection.execute(text("DROP INDEX ix_evaluations_candidate_id"))
    connection.execute(text("ALTER TABLE evaluations RENAME TO evaluations_before"))
    Evaluation.metadata.tables["evaluations"].create(connection)
    connection.execute(
        text(f"INSERT INTO evaluations ({columns}) SELECT {columns} FROM evaluations_before")
    )
    connection.execute(text("DROP TABLE evaluations_before"))


@contextmanager
def readable_errors(engine: Engine) -> Iterator[None]:
    """Turn the database's refusals that a person can act on into one line (UserError)."""
    try:
        yield
    except DamagedError as error:
        raise UserError(f"database {_place(engine)}: {error}; {DAMAGED}") from error
    except DBAPIError as error:
        advice = _advice(error)
        if advice is None:
            raise
        raise UserError(f"database {_place(engine)}: {error.orig}; {advice}") from error


def _advice(error: DBAPIError) -> str | None:
    cause: Any = error.orig
    if not isinstance(cause, sqlite3.Error):
        if error.connection_invalidated or type(cause).__name__ == "OperationalError":
            return "check the database URL and that the server can be reached"
        return None
    # Extended codes carry the primary one in their lowest byte; absent when a file is not opened.
    code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_NOTADB:
        return "move the file away or choose another folder with --runs-dir"
    if code == sqlite3.SQLITE_CORRUPT:
        return DAMAGED
    if code == sqlite3.SQLITE_FULL:
        return "free some space and continue with --resume; what was recorded is safe"
    if code == sqlite3.SQLITE_IOERR:
        return "check the disk (is it full?) and continue with --resume; what was recorded is safe"
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM):
        return "make the file and its folder writable or choose another folder with --runs-dir"
    if code == sqlite3.SQLITE_CANTOPEN:
        return "check that its folder exists and is writable"
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return "another process keeps it locked: stop that one, then try again"
    return None


def _place(engine: Engine) -> str:
    if engine.url.get_backend_name() == "sqlite":
        return str(engine.url.database)
    return engine.url.render_as_string(hide_password=True)
