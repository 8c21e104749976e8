"""The tree and what is decided about it: pure, in virtual time."""
