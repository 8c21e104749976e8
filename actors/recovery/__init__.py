"""The values a user writes to say how work survives, and their pure rules."""
