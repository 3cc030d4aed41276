"""Figures of running deadlines that a county sends to the city (Article 6 (六))."""
