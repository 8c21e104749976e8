"""The actor that runs users' functions."""
