"""What the measured rows come to: pure, so that both processes and every test may use it."""
