"""The health monitor as users meet it."""
