"""What owners of shared state stand on: boards, requests, successors; and the ways of processes to them."""
