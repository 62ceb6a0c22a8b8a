"""Hooks into pytest."""
