"""How do the cells of fleche's notebook on concurrent execution look with flowlib?"""
