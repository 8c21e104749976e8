"""One line to put a breaker in front of a client library: httpx, requests and urllib3, aiohttp, SQLAlchemy.

Each module imports its library, which is an optional dependency; import the one that you use. A response decides by its
status (`responses.failed_status`), an error by the breaker's settings.
"""
