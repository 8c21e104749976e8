"""What is run against a supervised cluster: the demo and the side-by-side benchmarks."""
