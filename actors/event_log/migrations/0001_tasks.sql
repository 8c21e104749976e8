-- Tasks, their attempts, children, restarts, spans, and which batches are in.
--
-- A task costs one row: its last attempt stands in it, and its spans are read out of it by the views below.
-- `ingest_id` numbers all rows of all tables in the order they were committed; tail() follows it.

CREATE TABLE ingested (
    epoch    VARCHAR NOT NULL,
    seq      BIGINT NOT NULL,
    last_id  BIGINT NOT NULL,
    PRIMARY KEY (epoch, seq)
);

CREATE TABLE tasks (
    ingest_id        BIGINT NOT NULL,
    task_id          VARCHAR NOT NULL,
    key              VARCHAR,
    name             VARCHAR,
    pool             VARCHAR,
    client           VARCHAR,
    state            VARCHAR NOT NULL CHECK (state IN ('done', 'failed', 'timeout', 'cancelled', 'poison', 'unknown', 'lost')),
    error_type       VARCHAR,
    error_text       VARCHAR,
    submitted_at     TIMESTAMPTZ,
    ended_at         TIMESTAMPTZ,
    attempts         INTEGER NOT NULL,
    worker           VARCHAR,
    attempt_at       TIMESTAMPTZ,
    run_us           BIGINT,
    trace_id         VARCHAR,
    span_id          VARCHAR,
    parent_span_id   VARCHAR,
    attempt_span_id  VARCHAR
);

CREATE TABLE earlier_attempts (
    ingest_id       BIGINT NOT NULL,
    task_id         VARCHAR NOT NULL,
    attempt         INTEGER NOT NULL,
    outcome         VARCHAR NOT NULL CHECK (outcome IN ('done', 'failed', 'timeout', 'lost', 'withdrawn', 'unknown')),
    error_type      VARCHAR,
    error_text      VARCHAR,
    worker          VARCHAR,
    started_at      TIMESTAMPTZ,
    ended_at        TIMESTAMPTZ,
    run_us          BIGINT,
    trace_id        VARCHAR,
    span_id         VARCHAR,
    parent_span_id  VARCHAR
);

CREATE TABLE children (
    ingest_id    BIGINT NOT NULL,
    child        VARCHAR NOT NULL,
    incarnation  INTEGER NOT NULL,
    concern      VARCHAR,
    role         VARCHAR,
    event        VARCHAR NOT NULL CHECK (event IN ('started', 'adopted', 'ready', 'died', 'fenced', 'killed', 'stopped',
                                                   'start_failed', 'promoted', 'given_up')),
    node_id      VARCHAR,
    pid          BIGINT,
    at_time      TIMESTAMPTZ NOT NULL,
    leader       INTEGER,
    detail       VARCHAR
);

CREATE TABLE restarts (
    ingest_id         BIGINT NOT NULL,
    child             VARCHAR NOT NULL,
    from_incarnation  INTEGER NOT NULL,
    to_incarnation    INTEGER,
    exit_class        VARCHAR,
    reason            VARCHAR,
    group_name        VARCHAR,
    delay_ms          DOUBLE,
    at_time           TIMESTAMPTZ NOT NULL,
    leader            INTEGER
);

CREATE TABLE recorded_spans (
    ingest_id       BIGINT NOT NULL,
    trace_id        VARCHAR NOT NULL,
    span_id         VARCHAR NOT NULL,
    parent_span_id  VARCHAR,
    name            VARCHAR NOT NULL,
    kind            VARCHAR,
    started_at      TIMESTAMPTZ NOT NULL,
    ended_at        TIMESTAMPTZ,
    status          VARCHAR,
    attributes      VARCHAR
);

CREATE VIEW task_attempts AS
SELECT task_id, attempts AS attempt, state AS outcome, error_type, error_text, worker,
       attempt_at AS started_at, CASE WHEN state = 'done' OR run_us > 0 THEN attempt_at + to_microseconds(run_us) ELSE ended_at END AS ended_at, run_us,
       trace_id, attempt_span_id AS span_id, span_id AS parent_span_id
FROM tasks WHERE attempts > 0
UNION ALL
SELECT task_id, attempt, outcome, error_type, error_text, worker, started_at, ended_at, run_us, trace_id, span_id, parent_span_id
FROM earlier_attempts;

CREATE VIEW spans AS
SELECT trace_id, span_id, parent_span_id, name, 'task' AS kind, submitted_at AS started_at, ended_at,
       CASE state WHEN 'done' THEN 'ok' ELSE 'error' END AS status,
       CAST(json_object('task_id', task_id, 'state', state, 'pool', pool, 'attempts', attempts) AS VARCHAR) AS attributes
FROM tasks WHERE trace_id IS NOT NULL AND span_id IS NOT NULL
UNION ALL
SELECT trace_id, span_id, parent_span_id, 'attempt ' || attempt, 'attempt', started_at, ended_at,
       CASE outcome WHEN 'done' THEN 'ok' ELSE 'error' END,
       CAST(json_object('task_id', task_id, 'outcome', outcome, 'error_type', error_type, 'worker', worker) AS VARCHAR)
FROM task_attempts WHERE trace_id IS NOT NULL AND span_id IS NOT NULL
UNION ALL
SELECT trace_id, span_id, parent_span_id, name, kind, started_at, ended_at, status, attributes
FROM recorded_spans;
