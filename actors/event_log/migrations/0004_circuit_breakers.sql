-- Circuit breakers: every transition, what a successor needs to go on, and how each of them stands.
--
-- Owners append: a row per transition, so that none is lost that falls into one batch with others, and a snapshot with
-- each. `circuit_breakers` reads the latest snapshot of each name out of them.

CREATE TABLE circuit_breaker_state_history (
    ingest_id    BIGINT NOT NULL,
    breaker      VARCHAR NOT NULL,
    event        VARCHAR NOT NULL CHECK (event IN ('transition', 'open_wait', 'configured', 'recovered', 'would_open')),
    from_state   VARCHAR,
    to_state     VARCHAR,
    generation   BIGINT,
    cause        VARCHAR,
    detail       VARCHAR,
    rule         VARCHAR,
    value        DOUBLE,
    threshold    DOUBLE,
    calls        INTEGER,
    openings     INTEGER,
    wait_ms      DOUBLE,
    who          VARCHAR,
    reason       VARCHAR,
    reporters    VARCHAR,
    samples      VARCHAR,
    owner        VARCHAR,
    incarnation  INTEGER,
    at_time      TIMESTAMPTZ NOT NULL,
    trace_id     VARCHAR,
    span_id      VARCHAR
);

CREATE TABLE recorded_breakers (
    ingest_id        BIGINT NOT NULL,
    breaker          VARCHAR NOT NULL,
    state            VARCHAR NOT NULL CHECK (state IN ('closed', 'open', 'half_open', 'ramping', 'disabled',
                                                       'forced_open', 'shadow')),
    generation       BIGINT NOT NULL,
    openings         INTEGER,
    wait_ms          DOUBLE,
    rules            INTEGER,
    settings         VARCHAR,
    overridden_by    VARCHAR,
    override_reason  VARCHAR,
    opened_by        VARCHAR,
    owner            VARCHAR,
    incarnation      INTEGER,
    era              BIGINT,
    kept             VARCHAR,
    at_time          TIMESTAMPTZ NOT NULL
);

CREATE VIEW circuit_breakers AS
WITH changes AS (
    SELECT breaker, min(at_time) AS first_at, max(at_time) AS last_transition_at, count(*) AS transitions,
           count(*) FILTER (to_state = 'open') AS openings_ever
    FROM circuit_breaker_state_history WHERE event = 'transition' GROUP BY breaker
), latest AS (
    SELECT * FROM recorded_breakers
    QUALIFY row_number() OVER (PARTITION BY breaker ORDER BY ingest_id DESC) = 1
), began AS (
    SELECT breaker, min(at_time) AS created_at FROM recorded_breakers GROUP BY breaker
)
SELECT latest.breaker, latest.state, latest.generation, latest.openings, latest.wait_ms, latest.rules, latest.settings,
       latest.overridden_by, latest.override_reason, latest.opened_by, latest.owner, latest.incarnation,
       coalesce(changes.transitions, 0) AS transitions, coalesce(changes.openings_ever, 0) AS openings_ever,
       began.created_at, changes.last_transition_at, latest.at_time AS updated_at
FROM latest JOIN began USING (breaker) LEFT JOIN changes USING (breaker);

CREATE VIEW active_circuit_breakers AS
SELECT breaker, state, openings, wait_ms, opened_by, overridden_by, override_reason, last_transition_at AS since,
       CASE state WHEN 'open' THEN updated_at + to_microseconds(CAST(wait_ms * 1000 AS BIGINT)) END AS probes_at
FROM circuit_breakers WHERE state <> 'closed';
