"""How fast Sprechzeit is, and against what. One command: ``python -m benchmarks``; not part of the tests.

Every figure stands beside a floor: the simplest thing that could do the same work, measured in the same run, in
turns with it. So the ratios hold on any machine; the milliseconds are those of the one it ran on.
"""
