"""Checkpoints: what a child's state looks like at rest, which one is restored, and where they are kept."""
