"""Drives a load at the application, and says what the cache does to it. `python -m load --help`."""
