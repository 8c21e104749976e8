"""Incidents and their recovery: the rules are pure, and each step is on record before it is taken."""
