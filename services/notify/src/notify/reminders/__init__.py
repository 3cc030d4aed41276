"""Reminders, overdue notices and escalations of running deadlines."""
