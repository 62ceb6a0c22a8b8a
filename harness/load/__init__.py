"""The Locust front door."""
