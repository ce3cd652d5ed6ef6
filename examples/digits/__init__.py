"""How well do three model families read handwritten digits, and how sure can one be?"""
