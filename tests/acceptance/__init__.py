"""Does a user get what the documents promise?"""
