"""Hypothesis tries the same cases each time, and a busy machine is no finding."""

from hypothesis import settings

settings.register_profile("rules", derandomize=True, deadline=None)
settings.load_profile("rules")
