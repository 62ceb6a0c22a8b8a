"""One planned conversation, made for real, becomes one timeline."""
