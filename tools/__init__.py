"""Programs for those who work on the harness; nothing of the product imports them."""
