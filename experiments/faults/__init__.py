"""How a fault is undone, whoever injected it: undo as data, and the watchdog that carries it out."""
