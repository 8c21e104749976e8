"""What carries an experiment out on a cluster: who is there, load, probes, the run itself, and what came of it."""
