-- Healing and telling people: what happened in each incident, what a successor needs to go on, and what was told whom.
--
-- The coordinator and the notifier append. Of what is recorded for a successor the latest row of each counts.

CREATE TABLE recovery_events (
    ingest_id    BIGINT NOT NULL,
    incident_id  VARCHAR NOT NULL,
    component    VARCHAR NOT NULL,
    failure      VARCHAR NOT NULL,
    severity     VARCHAR NOT NULL CHECK (severity IN ('low', 'medium', 'high', 'critical')),
    event        VARCHAR NOT NULL CHECK (event IN ('phase', 'step', 'verification', 'hold', 'release', 'dropped')),
    phase        VARCHAR CHECK (phase IN ('detected', 'diagnosed', 'recovering', 'verifying', 'resolved', 'escalated')),
    strategy     VARCHAR,
    action       VARCHAR,
    outcome      VARCHAR CHECK (outcome IN ('succeeded', 'failed', 'refused', 'unknown', 'acknowledged')),
    detail       VARCHAR,
    source       VARCHAR,
    node_id      VARCHAR,
    caused_by    VARCHAR,
    who          VARCHAR,
    detect_ms    DOUBLE,
    after_ms     DOUBLE,
    incarnation  INTEGER,
    era          BIGINT,
    at_time      TIMESTAMPTZ NOT NULL,
    trace_id     VARCHAR,
    span_id      VARCHAR
);

CREATE TABLE recorded_incidents (
    ingest_id    BIGINT NOT NULL,
    incident_id  VARCHAR NOT NULL,
    version      BIGINT NOT NULL,
    component    VARCHAR NOT NULL,
    failure      VARCHAR NOT NULL,
    severity     VARCHAR NOT NULL,
    phase        VARCHAR NOT NULL,
    is_over      INTEGER NOT NULL,
    begun        VARCHAR,
    incarnation  INTEGER,
    era          BIGINT,
    detect_ms    DOUBLE,
    detected_at  TIMESTAMPTZ,
    kept         VARCHAR,
    at_time      TIMESTAMPTZ NOT NULL
);

CREATE TABLE recorded_plans (
    ingest_id    BIGINT NOT NULL,
    component    VARCHAR NOT NULL,
    failure      VARCHAR NOT NULL,
    severity     VARCHAR NOT NULL,
    strategies   VARCHAR NOT NULL,
    who          VARCHAR,
    era          BIGINT,
    kept         VARCHAR,
    at_time      TIMESTAMPTZ NOT NULL
);

CREATE TABLE recovery_lessons (
    ingest_id    BIGINT NOT NULL,
    component    VARCHAR NOT NULL,
    failure      VARCHAR NOT NULL,
    strategy     VARCHAR NOT NULL,
    tries        BIGINT NOT NULL,
    successes    BIGINT NOT NULL,
    seconds      DOUBLE NOT NULL,
    at_time      TIMESTAMPTZ NOT NULL
);

CREATE TABLE notifications (
    ingest_id    BIGINT NOT NULL,
    message_id   VARCHAR NOT NULL,
    channel      VARCHAR NOT NULL,
    result       VARCHAR NOT NULL CHECK (result IN ('sent', 'failed', 'dropped')),
    attempts     INTEGER,
    alerts       INTEGER,
    component    VARCHAR,
    severity     VARCHAR,
    title        VARCHAR,
    incidents    VARCHAR,
    detail       VARCHAR,
    at_time      TIMESTAMPTZ NOT NULL
);

CREATE TABLE recorded_messages (
    ingest_id    BIGINT NOT NULL,
    message_id   VARCHAR NOT NULL,
    channel      VARCHAR NOT NULL,
    state        VARCHAR NOT NULL CHECK (state IN ('waiting', 'over')),
    attempts     INTEGER,
    alerts       VARCHAR,
    at_time      TIMESTAMPTZ NOT NULL
);

CREATE VIEW recovery_success_rate AS
WITH ended AS (
    SELECT * FROM recovery_events WHERE event = 'phase' AND phase IN ('resolved', 'escalated')
    QUALIFY row_number() OVER (PARTITION BY incident_id ORDER BY ingest_id) = 1
)
SELECT component, failure, coalesce(strategy, '') AS strategy, count(*) AS incidents,
       count(*) FILTER (phase = 'resolved') AS resolved, count(*) FILTER (phase = 'escalated') AS escalated,
       count(*) FILTER (phase = 'resolved') / count(*) AS success_rate,
       count(*) FILTER (phase = 'escalated') / count(*) AS escalation_rate,
       avg(detect_ms) AS mean_detect_ms, avg(after_ms) FILTER (phase = 'resolved') AS mean_recover_ms,
       max(at_time) AS last_at
FROM ended GROUP BY component, failure, coalesce(strategy, '');
