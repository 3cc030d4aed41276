"""A new year's schedule of working days: imported by one person, activated by another."""
