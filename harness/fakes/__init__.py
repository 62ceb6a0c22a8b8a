"""The fake OpenAI Realtime, the reference relay, and their named faults."""
