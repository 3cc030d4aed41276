"""The node's clock table: every running deadline with its ground and its due date."""
