"""Whom an experiment hits, when and for how long: drawn with its seed from the inventory, and refused where it must."""
