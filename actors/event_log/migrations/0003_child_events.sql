-- What can happen to a supervised child, and how a life of it ended. DuckDB cannot change a CHECK: the table is made anew.

CREATE TABLE children_3 (
    ingest_id    BIGINT NOT NULL,
    child        VARCHAR NOT NULL,
    incarnation  INTEGER NOT NULL,
    concern      VARCHAR,
    role         VARCHAR,
    event        VARCHAR NOT NULL CHECK (event IN (
        'added', 'started', 'adopted', 'ready', 'start_failed', 'ignored',
        'suspected', 'recovered', 'unhealthy', 'hung', 'draining', 'orphaned',
        'died', 'explained', 'fenced', 'killed', 'stopped', 'terminated', 'reaped',
        'restarting', 'promoted', 'demoted', 'migrated', 'resized', 'changed', 'deleted', 'escalated', 'given_up',
        'checkpointed', 'checkpoint_skipped', 'restored',
        'takeover_failed', 'checkpoint_failed', 'stop_failed', 'prestart_unavailable')),
    node_id      VARCHAR,
    pid          BIGINT,
    at_time      TIMESTAMPTZ NOT NULL,
    leader       INTEGER,
    detail       VARCHAR,
    exit_class   VARCHAR CHECK (exit_class IN ('normal', 'shutdown', 'crash', 'killed', 'out_of_memory', 'node_lost',
                                               'hung', 'preempted', 'task_limit'))
);
INSERT INTO children_3 SELECT *, NULL FROM children;
DROP TABLE children;
ALTER TABLE children_3 RENAME TO children;
