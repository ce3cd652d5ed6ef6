"""The ways to combine the axes of a sweep; the name of a module is what a user writes."""
