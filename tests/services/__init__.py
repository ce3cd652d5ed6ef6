"""Real servers for tests: each on a free port of the loopback, with data in a temporary folder."""
