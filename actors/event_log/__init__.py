"""The cluster's history in one DuckDB file, owned by one writer actor."""
