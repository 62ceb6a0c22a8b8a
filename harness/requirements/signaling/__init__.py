"""From the offer to the answer: what the relay took, what it sent on, what it gave back."""

from importlib import import_module

# In the order of a call; later modules need requirements of earlier ones.
_TO_THE_ANSWER = (
    "preflight",
    "reaching",
    "forwarding",
    "session_accepted",
    "offer_shapes",
    "offer",
    "answer_time",
)
for _module in (*_TO_THE_ANSWER, "answer_form", "answer", "returning", "refusing"):
    import_module(f"{__name__}.{_module}")
