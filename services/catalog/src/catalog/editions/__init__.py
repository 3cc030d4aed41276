"""Regional editions (SM-1b): what this level's government catalogue lists, edition by edition."""
