"""What this service knows of the federation: published entries and organisations."""
