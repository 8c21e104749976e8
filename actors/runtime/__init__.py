"""What every actor stands on: clock, ids, errors, settings, replicated state, boards and emitters."""
