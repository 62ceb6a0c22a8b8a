"""The fake in several processes behind one address: the front owns the address, each worker its calls."""
