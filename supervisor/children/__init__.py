"""The caller's side of supervised children: handles, responses, and the calls on their way."""
