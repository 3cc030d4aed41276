"""Inboxes of persons and of organisation roles, and the counts that open their lists."""
