"""How the relay says no: an honest status and a JSON body that reveals nothing of the inside."""

from __future__ import annotations

from starlette.responses import JSONResponse, Response


class Refusal(Exception):  # noqa: N818  (an outcome, not an error of the program)
    """The request ends here, with `status` and a stable `code`."""

    def __init__(self, status: int, code: str, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers or {}

    def response(self) -> Response:
        """The refusal as JSON."""
        return JSONResponse(
            {"error": {"code": self.code, "message": self.message}}, self.status, headers=self.headers
        )


def bad_offer(message: str) -> Refusal:
    """The client sent something that is no usable offer."""
    return Refusal(400, "invalid_offer", message)
