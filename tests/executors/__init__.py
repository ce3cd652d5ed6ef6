"""Every executor does the same: one contract for all."""
