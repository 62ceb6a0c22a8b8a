"""Markup of SVG elements. Whatever comes from outside is escaped by MarkupSafe."""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup, escape

Attribute = str | float
CAMEL = {"viewbox": "viewBox", "preserveaspectratio": "preserveAspectRatio"}


def element(name: str, *children: str, **attributes: Attribute) -> Markup:
    """`<name …>children</name>`; `class_` is written class, `stroke_width` stroke-width."""
    written = "".join(f' {_dashed(key)}="{escape(_short(value))}"' for key, value in attributes.items())
    body = Markup("").join(children)
    return Markup(f"<{name}{written}>{body}</{name}>" if body else f"<{name}{written}/>")  # noqa: S704  (escaped above)


def path(points: Iterable[tuple[float, float]]) -> str:
    """The `d` of a line through the points."""
    return "M" + "L".join(f"{_short(x)} {_short(y)}" for x, y in points)


def _short(value: Attribute) -> str:
    return value if isinstance(value, str) else f"{value:.1f}".removesuffix(".0")


def _dashed(key: str) -> str:
    return CAMEL.get(key, key.rstrip("_").replace("_", "-"))
