from __future__ import annotations

from harness.peer.checks import CheckCounter


def test_checks_are_counted_by_stun_message_type_and_direction() -> None:
    checks = CheckCounter()
    checks.count(0x00, 0x01, outgoing=True)
    checks.count(0x00, 0x01, outgoing=False)
    checks.count(0x01, 0x01, outgoing=False)
    checks.count(0x01, 0x11, outgoing=False)
    checks.count(0x01, 0x01, outgoing=True)  # our own answer to the other end's check
    checks.count(0x01, 0x01, outgoing=False)
    assert vars(checks) == {"sent": 1, "answered": 2, "refused": 1, "received": 1, "replied": 1}
