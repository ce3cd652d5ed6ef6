"""Kinds of stores: one module each; its name is the scheme of their URIs."""
