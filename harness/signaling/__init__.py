"""How an offer travels to a relay and its answer comes back."""
