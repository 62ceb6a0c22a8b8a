"""The standing attack: whatever a target, a file or an environment can send us, tried at random, with a seed.

`make attack` tries each kind in turn until its time is up, and prints inputs, findings and peak memory.
A finding is an exception that is not ours to raise, a verdict that says that a check broke, a text that
reached a sink raw, a secret that was written, or an input that took too long.
"""
