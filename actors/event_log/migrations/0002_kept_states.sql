-- The last few states of each child and of each supervisor's tree. Rows are replaced, not collected: no ingest_id, and
-- tail() does not show them. No keys either: the one writer sees to it, and an index would only cost memory.
--
-- `era` is the cluster's life (a new cluster counts incarnations from 1 again).

CREATE TABLE checkpoints (
    key            VARCHAR NOT NULL,
    era            BIGINT NOT NULL,
    incarnation    BIGINT NOT NULL,
    number         BIGINT NOT NULL,
    class_name     VARCHAR NOT NULL,
    state_version  BIGINT NOT NULL,
    at_time        TIMESTAMPTZ NOT NULL,
    data           BLOB NOT NULL
);

-- The latest life that took over each child: it keeps out what an earlier one still sends.
CREATE TABLE checkpoint_claims (
    key          VARCHAR NOT NULL,
    era          BIGINT NOT NULL,
    incarnation  BIGINT NOT NULL
);

CREATE TABLE tree_ledger (
    supervisor          VARCHAR NOT NULL,
    era                 BIGINT NOT NULL,
    leader_incarnation  BIGINT NOT NULL,
    version             BIGINT NOT NULL,
    at_time             TIMESTAMPTZ NOT NULL,
    data                BLOB NOT NULL
);
