"""aiortc's DTLS, whose failures to read stay in the call."""

from __future__ import annotations

from collections.abc import Callable

from aiortc import RTCCertificate, RTCDtlsTransport, RTCIceTransport

MOST_FAILURES = 100


class Dtls(RTCDtlsTransport):
    """`on_failed` is told where it failed, and in what; after too often, DTLS is over."""

    def __init__(
        self, ice: RTCIceTransport, certificate: RTCCertificate, on_failed: Callable[[str, Exception], None]
    ) -> None:
        super().__init__(ice, [certificate])
        self._on_failed = on_failed
        self._failures = 0

    async def _recv_next(self) -> None:
        try:
            await super()._recv_next()
        except ConnectionError:
            raise  # how aiortc says that there is nothing more to read
        except Exception as error:  # whatever a datagram made of it, the next may be read
            self._failures += 1
            self._on_failed("reading DTLS", error)
            if self._failures >= MOST_FAILURES:
                raise ConnectionError("DTLS cannot be read") from error
