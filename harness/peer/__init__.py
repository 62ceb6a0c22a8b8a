"""The WebRTC end of a call: SDP writing, transport, media, data channel."""
