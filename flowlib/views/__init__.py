"""Views of a run: one module each; its name is what users write as `progress=`."""
