"""Tests of flowlib and stores; one folder per package, plus acceptance."""
