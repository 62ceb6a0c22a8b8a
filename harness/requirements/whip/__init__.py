"""Area `whip`: WHIP's HTTP (RFC 9725), where a target declares it. Its media, one-way, is not judged."""

from harness.requirements.whip import session, endpoint, ice, ending  # noqa: I001  (the order of a call)

__all__ = ["ending", "endpoint", "ice", "session"]
