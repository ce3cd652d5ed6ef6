"""How is the project set up, checked and packed? Run as `python -m tools.<name>`."""
