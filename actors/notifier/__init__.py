"""Telling people: what is told whom, when and in which words; the rules are pure."""
