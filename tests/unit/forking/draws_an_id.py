"""A module that must not be loaded before a fork: whoever is forked after it would draw the same ids."""

from ray._raylet import UniqueID

UniqueID.from_random()
