"""One uploaded file per catalog entry: checked, stored once, paged by row."""
