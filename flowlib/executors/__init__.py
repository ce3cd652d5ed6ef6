"""Kinds of workers: one module each; its name is what users write as `executor=`."""
