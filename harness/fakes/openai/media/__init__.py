"""The fake's end of one call: WebRTC, and a conversation run in real time."""
