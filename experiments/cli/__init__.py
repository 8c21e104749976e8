"""The commands `supervisor chaos ...`."""
