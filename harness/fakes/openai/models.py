"""GET /v1/models, and which models a session may have."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from harness.core.models import is_preview
from harness.fakes.openai.conversation.models import MODELS, TRANSCRIBERS
from harness.fakes.openai.errors import ApiError, model_not_found, model_refused, model_transcribes
from harness.fakes.openai.keys import Keys
from harness.fakes.openai.settings import FakeSettings

CREATED = 1754355600  # Unix seconds; the same for all, since nothing depends on it


def check_model(model: object, settings: FakeSettings) -> None:
    """Raises ApiError for a model that no session can have; what is no name is judged elsewhere."""
    if not isinstance(model, str):
        return
    if model in settings.refused_models:
        raise model_refused(model)
    if is_preview(model):
        raise model_not_found(model)
    if model in TRANSCRIBERS:
        raise model_transcribes(model)
    if settings.unknown_model_status is not None and model not in MODELS:
        raise model_not_found(model, settings.unknown_model_status)


class ModelsList:
    """The endpoints that tell the models."""

    def __init__(self, settings: FakeSettings, keys: Keys) -> None:
        self._settings = settings
        self._keys = keys

    def routes(self) -> list[Route]:
        """Both of them."""
        return [
            Route("/v1/models", self._list, methods=["GET"]),
            Route("/v1/models/{model}", self._one, methods=["GET"]),
        ]

    async def _list(self, request: Request) -> Response:
        self._keys.check(request, secret_only=True)
        return JSONResponse({"object": "list", "data": [_shown(name) for name in self._names()]})

    async def _one(self, request: Request) -> Response:
        self._keys.check(request, secret_only=True)
        name = request.path_params["model"]
        if name not in self._names():
            raise ApiError(404, f"The model '{name}' does not exist", code="model_not_found", param="model")
        return JSONResponse(_shown(name))

    def _names(self) -> list[str]:
        return [
            name for name in sorted((*MODELS, *TRANSCRIBERS)) if name not in self._settings.refused_models
        ]


def _shown(name: str) -> dict[str, object]:
    return {"id": name, "object": "model", "created": CREATED, "owned_by": "system"}
