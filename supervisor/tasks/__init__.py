"""Tasks: submitted through a handle, dispatched from the caller, kept until they end."""
