"""Levels of service, and which features they leave: the rules are pure, and reading is local."""
