"""Planned conversations, one file each; every requirement of the areas they name is a test of its own."""
