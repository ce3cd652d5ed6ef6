"""How does a pipeline of plain functions look?"""
