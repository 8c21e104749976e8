"""Healing, from any process: calls that are healed, plans, incidents, holds; and the ways to what is healed."""
