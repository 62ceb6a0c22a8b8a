"""What `harness watch` knows, whom it tells, and what it shows."""
