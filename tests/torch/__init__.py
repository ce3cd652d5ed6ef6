"""Does training on devices work? Needs PyTorch; run by `make test-torch` only."""
