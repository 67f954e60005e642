"""Databases as earlier versions made them, from one of today."""

import re

from sqlalchemy import Connection, text

from reward_synth.store.schema import COUNTED

FITNESS = re.compile(r"\bfitness (FLOAT|DOUBLE),")
SINGLE_COLUMN_INDEXES = {
    "ix_candidates_run_id": "candidates (run_id)",
    "ix_completions_run_id": "completions (run_id)",
    "ix_evaluations_candidate_id": "evaluations (candidate_id)",
}


def make_older(connection: Connection, version: int) -> None:
    """Take away what versions after this one, 2 at least, brought.  Rows stay as they are."""

    def run(statement: str) -> None:
        connection.execute(text(statement))

    for index in COUNTED:
        run(f"DROP INDEX {index.name}")
    run("DROP INDEX ix_runs_sweep")
    for column in ("sweep", "cell"):
        run(f"ALTER TABLE runs DROP COLUMN {column}")
    for table in ("sweeps", "activities"):
        run(f"DROP TABLE {table}")
    made = connection.execute(text("SELECT sql FROM sqlite_master WHERE name = 'evaluations'"))
    strict, changed = FITNESS.subn("fitness FLOAT NOT NULL,", made.scalar_one())
    assert changed == 1
    run("CREATE TABLE kept AS SELECT * FROM evaluations")
    run("DROP TABLE evaluations")
    run(strict)
    run("INSERT INTO evaluations SELECT * FROM kept")
    run("DROP TABLE kept")
    for name, columns in SINGLE_COLUMN_INDEXES.items():
        run(f"CREATE INDEX {name} ON {columns}")
    if version < 4:
        run("DROP TABLE judgements")
        run("ALTER TABLE candidates DROP COLUMN worth")
    if version < 3:
        run("ALTER TABLE evaluations DROP COLUMN policy_sha256")
    run(f"UPDATE schema_version SET version = {version}")
