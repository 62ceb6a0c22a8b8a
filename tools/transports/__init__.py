"""WebSocket against WebRTC, measured over the very same networks: `python -m tools.transports`, as root."""
