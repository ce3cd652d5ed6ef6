"""Which small but real pipelines show what flowlib does? One folder each."""
