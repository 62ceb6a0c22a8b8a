"""The shapes that an offer may have: whose it looks like, and whether its page waited for candidates."""

from __future__ import annotations

from typing import Final

CHROMIUM: Final = "chromium"
LIBWEBRTC: Final = "libwebrtc"
FIREFOX: Final = "firefox"
FIREFOX_GATHERED: Final = "firefox-gathered"
MINIMAL: Final = "minimal"

# What each shows, for people; docs/offers.md says more.
OFFER_SHAPES: Final = {
    CHROMIUM: "Chromium's, from a page that posts it at once: eight payload types and no candidate",
    LIBWEBRTC: "the same engine's, where the page waits: IPv6 and TCP candidates, a port per section",
    FIREFOX: "Firefox's, posted at once: its own order of lines, Opus as 109, no candidate",
    FIREFOX_GATHERED: "Firefox's, where the page waits: .local names, both components, UDP in capitals",
    MINIMAL: "the least that a call needs: one codec, our candidates",
}


# --- OfferTried.how: how a further offer differs from the one that was refused ---

AGAIN: Final = "again"  # not at all
OTHER_SHAPE: Final = "other-shape"  # it is another browser's
SMALLEST: Final = "smallest"  # the minimal one
SMALLEST_AS_LONG: Final = "smallest-as-long"  # the minimal one, made as long by one name in it
NO_CANDIDATE: Final = "no-candidate"  # it names a candidate, where the refused one names none
CANDIDATES: Final = "candidates"  # some kind of candidate is missing or written otherwise
CODECS: Final = "codecs"  # it offers Opus alone, or by the usual number
LINES: Final = "lines"  # a line of the session or of a section is missing or stands elsewhere
SEVERAL: Final = "several"  # more than one of these

# Attributes without which there is no call, whoever writes the offer.
INDISPENSABLE: Final = frozenset(
    {"candidate", "fingerprint", "fmtp", "group", "ice-pwd", "ice-ufrag", "max-message-size", "mid"}
    | {"rtcp-mux", "rtpmap", "sctp-port", "sendrecv", "setup"}
)
