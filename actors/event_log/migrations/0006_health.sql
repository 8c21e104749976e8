-- Health: the checks, how each component and the whole stood, and when the monitor itself did not see.
--
-- The monitor appends. A row of a component holds until the next one, but no longer than `good_for_ms`: while no monitor
-- looked, nothing was known.

CREATE TABLE health_checks (
    ingest_id    BIGINT NOT NULL,
    component    VARCHAR NOT NULL,
    kind         VARCHAR NOT NULL CHECK (kind IN ('startup', 'liveness', 'readiness')),
    place        VARCHAR NOT NULL,
    outcome      VARCHAR NOT NULL CHECK (outcome IN ('passed', 'failed', 'timed_out', 'nonsense', 'unreachable')),
    counted      INTEGER NOT NULL,
    duration_ms  DOUBLE,
    score        DOUBLE,
    detail       VARCHAR,
    incarnation  INTEGER,
    at_time      TIMESTAMPTZ NOT NULL
);

CREATE TABLE recorded_component_health (
    ingest_id     BIGINT NOT NULL,
    component     VARCHAR NOT NULL,
    event         VARCHAR NOT NULL CHECK (event IN ('change', 'snapshot')),
    state         VARCHAR NOT NULL CHECK (state IN ('unknown', 'starting', 'healthy', 'unready', 'unhealthy')),
    before_state  VARCHAR,
    flapping      INTEGER NOT NULL,
    caused_by     VARCHAR,
    detail        VARCHAR,
    silent_ms     DOUBLE,
    score         DOUBLE,
    trend         VARCHAR,
    confidence    DOUBLE,
    weight        DOUBLE,
    critical      INTEGER,
    availability  VARCHAR,
    good_for_ms   DOUBLE NOT NULL,
    incarnation   INTEGER,
    at_time       TIMESTAMPTZ NOT NULL
);

CREATE TABLE system_health_snapshots (
    ingest_id      BIGINT NOT NULL,
    event          VARCHAR NOT NULL CHECK (event IN ('snapshot', 'starved', 'killed', 'cut_off', 'seeing')),
    score          DOUBLE,
    trend          VARCHAR,
    confidence     DOUBLE,
    slope_per_min  DOUBLE,
    components     INTEGER,
    healthy        INTEGER,
    unready        INTEGER,
    unhealthy      INTEGER,
    unknown        INTEGER,
    flapping       INTEGER,
    blind          VARCHAR,
    gap_ms         DOUBLE,
    detail         VARCHAR,
    incarnation    INTEGER,
    at_time        TIMESTAMPTZ NOT NULL
);

CREATE VIEW component_health_summary AS
WITH latest AS (
    SELECT * FROM recorded_component_health
    QUALIFY row_number() OVER (PARTITION BY component ORDER BY ingest_id DESC) = 1
), known AS (
    SELECT component, max_by(score, ingest_id) FILTER (event = 'snapshot') AS score,
           max_by(trend, ingest_id) FILTER (event = 'snapshot') AS trend,
           max_by(availability, ingest_id) FILTER (event = 'snapshot') AS availability,
           max(at_time) FILTER (event = 'change') AS changed_at,
           count(*) FILTER (event = 'change') AS changes, min(at_time) AS first_at
    FROM recorded_component_health GROUP BY component
)
SELECT component, latest.state, latest.flapping, latest.caused_by, latest.detail, known.score, known.trend,
       known.availability, known.changes, known.first_at, known.changed_at, latest.at_time AS updated_at,
       latest.at_time + to_microseconds(CAST(latest.good_for_ms * 1000 AS BIGINT)) AS good_until
FROM latest JOIN known USING (component);

CREATE VIEW recent_health_failures AS
SELECT at_time, component, kind, place, outcome, counted, detail, duration_ms FROM health_checks
WHERE outcome <> 'passed' AND epoch_us(at_time) > epoch_us(now()) - 86_400_000_000
ORDER BY ingest_id DESC;

CREATE VIEW component_availability_24h AS
WITH lasting AS (
    SELECT component, state, epoch_us(at_time) AS begins,
           least(coalesce(lead(epoch_us(at_time)) OVER (PARTITION BY component ORDER BY ingest_id), epoch_us(now())),
                 epoch_us(at_time) + good_for_ms * 1000) AS ends
    FROM recorded_component_health
), spent AS (
    SELECT component, state, (ends - greatest(begins, epoch_us(now()) - 86_400_000_000)) / 1e6 AS spent_s FROM lasting
)
SELECT component,
       sum(spent_s) FILTER (state = 'healthy') / nullif(sum(spent_s) FILTER (state NOT IN ('unknown', 'starting')), 0)
           AS availability,
       coalesce(sum(spent_s) FILTER (state = 'healthy'), 0) AS up_s,
       coalesce(sum(spent_s) FILTER (state IN ('unready', 'unhealthy')), 0) AS down_s,
       coalesce(sum(spent_s) FILTER (state IN ('unknown', 'starting')), 0) AS unknown_s
FROM spent WHERE spent_s > 0 GROUP BY component;

CREATE VIEW current_system_status AS
WITH latest AS (
    SELECT * FROM system_health_snapshots WHERE event = 'snapshot' ORDER BY ingest_id DESC LIMIT 1
), now_there AS (
    SELECT * FROM component_health_summary WHERE good_until > now()
), sight AS (
    SELECT event, detail FROM system_health_snapshots WHERE event IN ('cut_off', 'seeing', 'killed')
    ORDER BY ingest_id DESC LIMIT 1
)
SELECT latest.at_time AS scored_at, latest.score, latest.trend, latest.confidence,
       (SELECT count(*) FROM now_there) AS components,
       (SELECT count(*) FROM now_there WHERE state = 'healthy') AS healthy,
       (SELECT list(component ORDER BY component) FROM now_there WHERE state IN ('unready', 'unhealthy')) AS sick,
       (SELECT list(component ORDER BY component) FROM now_there WHERE flapping = 1) AS flapping,
       (SELECT detail FROM sight WHERE event = 'cut_off') AS blind
FROM latest;
