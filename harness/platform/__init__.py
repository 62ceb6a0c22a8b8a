"""What not every operating system has, and what stands in for it. Nothing else here uses such a thing."""
