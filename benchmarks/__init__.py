"""How fast is flowlib, against what the same guarantees cost at least and against its peers?

`python -m benchmarks setup` installs the peers, `python -m benchmarks` measures. Every case is a
fresh process; `workloads` says what is computed, `adapters` how each system computes it.
"""
