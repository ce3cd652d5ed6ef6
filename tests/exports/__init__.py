"""Do flows run under other engines? Run by `make exports` only, in environments of their own."""
