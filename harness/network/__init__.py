"""Networks as users have them: ICE servers and impairments."""
