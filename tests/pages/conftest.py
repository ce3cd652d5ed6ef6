"""A real Chromium for all tests of pages."""

from tests.services.fixtures import chromium, page

__all__ = ["chromium", "page"]
