"""Seeded worlds: one city and two counties on virtual time, over the modules production runs.

``python -m tests.simulation --seeds 200`` runs the worlds; ``--seed N`` replays one.
"""
