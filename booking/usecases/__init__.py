"""Decisions: each takes a session and ``now``, and never commits; edges open the transactions."""
