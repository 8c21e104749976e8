"""The `supervisor` command."""
