"""Starts what the application runs among: each in a process of its own, ended by its id."""
