"""The reference relay: what a correct voice relay does, and what incorrect ones do, by name."""
