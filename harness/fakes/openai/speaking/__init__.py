"""What the fake says, and in whose voice."""
