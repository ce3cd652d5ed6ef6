"""Do the modules of flowlib do what their docstrings say?"""
