"""Ids of requirements that only a scenario of their own can look at."""

RECONNECTING = {
    "lifecycle.short-blackout-survived",
    "lifecycle.lost-call-released",
    "lifecycle.time-to-notice",
    "lifecycle.turns-lost",
    "lifecycle.audio-lost",
    "lifecycle.comes-back",
    "lifecycle.time-to-recover",
    "lifecycle.relay-restart-survived",
    "lifecycle.ice-restart",
    "lifecycle.herd-served",
    "lifecycle.herd-at-once",
    "lifecycle.herd-jittered",
}
