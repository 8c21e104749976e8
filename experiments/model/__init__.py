"""What a user writes of an experiment, as a file or in Python: every file is a Chaos Toolkit experiment too."""
