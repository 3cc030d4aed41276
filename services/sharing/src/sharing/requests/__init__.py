"""Requests between agencies (Articles 19 and 20): submission, reply, delivery, end."""
