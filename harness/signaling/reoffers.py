"""An offer made anew for an ICE restart."""

from __future__ import annotations

import re
import secrets


def with_new_ice(offer: str) -> str:
    """The offer with new ICE credentials and the next version, all else as it was.

    That is what `restartIce()` leads to (RFC 8829, section 5.2.2: same session id, version one higher; RFC
    8839, section 4.4.3.1.1: another ufrag and pwd). Candidates are kept: they are still ours.
    """
    ufrag, pwd = secrets.token_hex(4), secrets.token_hex(12)
    offer = re.sub(r"(?m)^(a=ice-ufrag:)[^\r\n]*", rf"\g<1>{ufrag}", offer)
    offer = re.sub(r"(?m)^(a=ice-pwd:)[^\r\n]*", rf"\g<1>{pwd}", offer)
    return re.sub(r"(?m)^(o=\S+ \S+ )(\d+)", lambda o: f"{o[1]}{int(o[2]) + 1}", offer, count=1)
