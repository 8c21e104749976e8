"""Experiments that run again and again: at their times, under many seeds."""
