"""Kinds of values: one module each; its name is what users write as `type_=`."""
