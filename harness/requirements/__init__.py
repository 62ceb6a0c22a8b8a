"""The catalogue: one pure function over a timeline for each rule a relay must keep."""
