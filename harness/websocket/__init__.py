"""A WebSocket to a relay: how it is opened, what its messages hold, and what a page plays of them."""
