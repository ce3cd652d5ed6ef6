"""Is the house built as docs/architecture.md draws it?"""
