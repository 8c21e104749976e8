-- Chaos experiments: every run as it went, every step of each fault, and each fault beside its recovery or its loss.
--
-- Runners append: a row when a run is planned and one when it ends. `chaos_experiments` reads the latest of each run.
-- The log is history: what is on is in the ledger beside the board, which chaos does not attack.

CREATE TABLE recorded_experiments (
    ingest_id    BIGINT NOT NULL,
    run          VARCHAR NOT NULL,
    experiment   VARCHAR NOT NULL,
    state        VARCHAR NOT NULL CHECK (state IN ('running', 'ended')),
    verdict      VARCHAR CHECK (verdict IN ('held', 'deviated', 'inconclusive', 'aborted', 'not_started')),
    score        DOUBLE,
    reasons      VARCHAR,
    seed         BIGINT,
    plan         VARCHAR,
    targets      VARCHAR,
    safe_mode    INTEGER,
    numbers      VARCHAR,
    runner       VARCHAR,
    at_time      TIMESTAMPTZ NOT NULL,
    trace_id     VARCHAR,
    span_id      VARCHAR
);

CREATE TABLE chaos_experiment_events (
    ingest_id    BIGINT NOT NULL,
    run          VARCHAR NOT NULL,
    event        VARCHAR NOT NULL CHECK (event IN ('planned', 'arming', 'armed', 'injected', 'proven', 'undone', 'kept_on',
                                                   'observing', 'ended', 'detected', 'recovered', 'lost', 'stopped')),
    fault_id     VARCHAR,
    fault        VARCHAR,
    target       VARCHAR,
    done_by      VARCHAR,
    detail       VARCHAR,
    cites        VARCHAR,
    at_time      TIMESTAMPTZ NOT NULL,
    trace_id     VARCHAR,
    span_id      VARCHAR
);

CREATE VIEW chaos_experiments AS
WITH latest AS (
    SELECT * FROM recorded_experiments QUALIFY row_number() OVER (PARTITION BY run ORDER BY ingest_id DESC) = 1
), began AS (
    SELECT run, min(at_time) AS started_at FROM recorded_experiments GROUP BY run
), faults AS (
    SELECT run, count(*) FILTER (event = 'injected') AS injected, count(*) FILTER (event = 'proven') AS proven,
           count(*) FILTER (event = 'recovered') AS recovered, count(*) FILTER (event = 'lost') AS lost
    FROM chaos_experiment_events GROUP BY run
)
SELECT latest.run, latest.experiment, latest.state, latest.verdict, latest.score, latest.reasons, latest.seed, latest.plan,
       latest.targets, latest.safe_mode = 1 AS safe_mode, latest.numbers, latest.runner, began.started_at,
       CASE latest.state WHEN 'ended' THEN latest.at_time END AS ended_at,
       coalesce(faults.injected, 0) AS injected, coalesce(faults.proven, 0) AS proven,
       coalesce(faults.recovered, 0) AS recovered, coalesce(faults.lost, 0) AS lost, latest.trace_id
FROM latest JOIN began USING (run) LEFT JOIN faults USING (run);

CREATE VIEW chaos_faults AS
SELECT run, fault_id, any_value(fault) AS fault, any_value(target) AS target,
       min(at_time) FILTER (event = 'injected') AS injected_at, min(at_time) FILTER (event = 'proven') AS proven_at,
       min(at_time) FILTER (event = 'detected') AS detected_at, min(at_time) FILTER (event = 'recovered') AS recovered_at,
       max(at_time) FILTER (event = 'undone') AS undone_at, any_value(cites) FILTER (event = 'recovered') AS recovered_by,
       any_value(detail) FILTER (event = 'lost') AS loss
FROM chaos_experiment_events WHERE fault_id IS NOT NULL GROUP BY run, fault_id;
