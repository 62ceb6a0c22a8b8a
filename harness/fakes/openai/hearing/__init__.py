"""What the fake makes of the caller's voice."""
