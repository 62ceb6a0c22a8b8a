"""What a run is about: the target, its limits, and where they are read from."""
