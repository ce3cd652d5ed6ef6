"""How does each system compute the workloads? One module per system.

A module has a function for each workload it supports (`systems.SYSTEMS` lists them), named after
`cells.WORKLOADS`. It takes a `workloads.Case` and returns facts that are compared with
`workloads.expected`. It uses nothing but the public API of its system.
"""
