"""How are small networks trained, one per GPU at a time?"""
