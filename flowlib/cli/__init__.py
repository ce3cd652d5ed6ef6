"""The command `flowlib`: thin over the Python API, one module for each of its commands."""
