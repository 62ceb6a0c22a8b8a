"""A fake OpenAI Realtime: real WebRTC, real voice activity detection, real audio, faults on a switch."""
