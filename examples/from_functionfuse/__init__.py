"""How does functionfuse's basic pipeline, from a dataset to a model, look with flowlib?"""
