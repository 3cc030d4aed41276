"""How property tests run: two shared cores make a time limit per example a coin toss."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "yiwang", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("yiwang")
