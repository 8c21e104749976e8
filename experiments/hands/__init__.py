"""What an experiment does to one node: by a hand that is there, in the runner's process or in an actor of that node."""
