from hypothesis import settings

# The same examples every time: a failure is seen by everyone or by nobody. No deadline for one example:
# it would measure how busy the machine is.
settings.register_profile("house", derandomize=True, deadline=None)
settings.load_profile("house")
