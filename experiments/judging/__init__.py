"""From what was seen to a verdict: nothing is taken for good that was not measured."""
