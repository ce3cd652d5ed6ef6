"""The workflows of the README of funsies, written for flowlib."""
