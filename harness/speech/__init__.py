"""Recorded speech: the manifest, its clips, and their Opus packets."""
