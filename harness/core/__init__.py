"""What everything else stands on: errors, clock, events, timeline, SDP reading, audio levels. No I/O."""
