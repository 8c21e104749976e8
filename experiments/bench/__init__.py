"""Benchmarks that run both sides alternately in one run and print the ratio."""
