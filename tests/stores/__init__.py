"""Do the modules of stores do what their docstrings say?"""
