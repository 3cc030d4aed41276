"""Agencies of this node and their appointments; the replica of everybody else's."""
