"""What keeps a store in order, on top of the primitives: deletion, copies, checks, collection."""
