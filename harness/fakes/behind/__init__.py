"""Somebody's own program, whose requests to OpenAI reach the fake, without a line of it changed."""
