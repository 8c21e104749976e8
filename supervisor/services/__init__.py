"""Services: actors that own shared state, come into being with their first use, and are found by every process."""
