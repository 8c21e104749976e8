"""Traces: W3C context and the export of the log's spans."""
