"""One small actor per node: the node's board, evidence about processes, and SIGKILL of what is fenced."""
