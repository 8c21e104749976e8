"""Telling people, from any process: what is raised, what is over, and whether a channel works."""
