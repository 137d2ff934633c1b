"""Models of the Hugging Face hub.

client     the hub's answers, and its errors in words that help
download   a model's files: which, where to, licence first
resumable  one file, resumed where it was left
cache      what is on this computer already
licence    terms, shown once and accepted
"""
