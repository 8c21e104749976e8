"""The actors of a supervised Ray cluster, one room per concern: its machine, its shell and its client."""

import os

# Under `uv run`, Ray's hook would upload the folder and start every worker through uv (4.5 s an actor). It reads this
# when Ray is imported, so it stands here, below every import of ours.
os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")

# Ray prints this for every worker that dies; a supervisor's business is that they may.
os.environ.setdefault("RAY_DEDUP_LOGS_SKIP_REGEX", "A worker died or was killed while executing a task")
