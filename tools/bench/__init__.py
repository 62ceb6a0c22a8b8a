"""What a call costs, against plain aiortc and the floor: `make bench`."""
