"""Circuit breakers that the whole cluster shares; the rules are pure, and work in one process without Ray."""
