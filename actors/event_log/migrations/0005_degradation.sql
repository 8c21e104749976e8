-- Degradation: every change of level, every declaration of a feature, and what a successor needs to go on.
--
-- The owner appends. `feature_flags` and `feature_dependencies` read the latest declaration of each feature out of
-- what was declared, and `active_degradation` the latest state.

CREATE TABLE degradation_state (
    ingest_id     BIGINT NOT NULL,
    level         VARCHAR NOT NULL,
    before_level  VARCHAR NOT NULL,
    generation    BIGINT NOT NULL,
    cause         VARCHAR NOT NULL CHECK (cause IN ('rule', 'at_once', 'recovering', 'override', 'override_over', 'auto',
                                                    'recovered')),
    detail        VARCHAR,
    who           VARCHAR,
    until_ms      DOUBLE,
    switched_off  VARCHAR,
    switched_on   VARCHAR,
    owner         VARCHAR,
    incarnation   INTEGER,
    at_time       TIMESTAMPTZ NOT NULL
);

CREATE TABLE recorded_degradation (
    ingest_id        BIGINT NOT NULL,
    level            VARCHAR NOT NULL,
    number           INTEGER NOT NULL,
    generation       BIGINT NOT NULL,
    reason           VARCHAR,
    overridden_by    VARCHAR,
    override_reason  VARCHAR,
    until_ms         DOUBLE,
    disabled         VARCHAR,
    statistics       VARCHAR,
    owner            VARCHAR,
    incarnation      INTEGER,
    era              BIGINT,
    kept             VARCHAR,
    at_time          TIMESTAMPTZ NOT NULL
);

CREATE TABLE recorded_features (
    ingest_id    BIGINT NOT NULL,
    feature      VARCHAR NOT NULL,
    lowest       VARCHAR,
    needs        VARCHAR,
    limits       VARCHAR,
    rollout      DOUBLE,
    tenants      VARCHAR,
    withdrawn    INTEGER NOT NULL,
    generation   BIGINT NOT NULL,
    owner        VARCHAR,
    incarnation  INTEGER,
    at_time      TIMESTAMPTZ NOT NULL
);

CREATE VIEW feature_flags AS
WITH latest AS (
    SELECT * FROM recorded_features QUALIFY row_number() OVER (PARTITION BY feature ORDER BY ingest_id DESC) = 1
), disabled AS (
    SELECT unnest(from_json(disabled, '["VARCHAR"]')) AS feature
    FROM (SELECT disabled FROM recorded_degradation ORDER BY ingest_id DESC LIMIT 1)
), began AS (
    SELECT feature, min(at_time) AS created_at FROM recorded_features GROUP BY feature
)
SELECT latest.feature, latest.feature NOT IN (SELECT feature FROM disabled) AS enabled, latest.lowest, latest.rollout,
       latest.limits, latest.tenants, latest.generation, began.created_at, latest.at_time AS updated_at
FROM latest JOIN began USING (feature) WHERE latest.withdrawn = 0;

CREATE VIEW feature_dependencies AS
SELECT feature, unnest(from_json(needs, '["VARCHAR"]')) AS needs, at_time AS declared_at
FROM (SELECT * FROM recorded_features QUALIFY row_number() OVER (PARTITION BY feature ORDER BY ingest_id DESC) = 1)
WHERE withdrawn = 0;

CREATE VIEW active_degradation AS
WITH latest AS (
    SELECT * FROM recorded_degradation ORDER BY ingest_id DESC LIMIT 1
), since AS (
    SELECT max(at_time) AS since FROM degradation_state WHERE level <> before_level
)
SELECT latest.level, latest.reason, since.since, latest.overridden_by, latest.override_reason,
       CASE WHEN latest.until_ms IS NOT NULL
            THEN latest.at_time + to_microseconds(CAST(latest.until_ms * 1000 AS BIGINT)) END AS until,
       latest.disabled, latest.at_time AS updated_at
FROM latest, since WHERE latest.number > 0 OR latest.overridden_by IS NOT NULL;
