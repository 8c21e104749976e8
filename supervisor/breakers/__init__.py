"""Circuit breakers that the whole cluster shares: where their owners are, and the ways to them."""
