"""What is looked at all along, and stops an experiment that goes too far."""
