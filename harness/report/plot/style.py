"""The look of every drawing, in light and in dark."""

from __future__ import annotations

from markupsafe import Markup

# Each reaches 3:1 on its ground (WCAG 2.2, 1.4.11), and neighbours differ in lightness as well as in hue.
LIGHT_SERIES = ("#1f6fb4", "#b8500c", "#0a7d5a", "#9a3587", "#7d6100", "#6a4fc4", "#47576a", "#0b7a8f")
DARK_SERIES = ("#6bb1f0", "#f59a5b", "#4ecb9d", "#e08fd6", "#e0bd4a", "#b3a1f7", "#a8b6c4", "#4fc3d8")

LIGHT = {"ground": "#ffffff", "ink": "#1c2430", "soft": "#5b6675", "line": "#dfe3e8", "mark": "#c2263c"}
DARK = {"ground": "#12161c", "ink": "#e8ecf1", "soft": "#9aa6b4", "line": "#2c3440", "mark": "#ff8292"}

SHAPES = """\
.plot{font:13px system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;display:block;width:100%;height:auto}
.plot text{fill:var(--plot-ink)}
.plot .soft{fill:var(--plot-soft);font-size:12px}
.plot .title{font-size:15px;font-weight:600}
.plot .grid{stroke:var(--plot-line);stroke-width:1}
.plot .mark{stroke:var(--plot-mark);stroke-width:1.5;stroke-dasharray:5 4}
.plot .mark-label{fill:var(--plot-mark);font-size:12px;stroke:var(--plot-ground);stroke-width:4px;\
stroke-linejoin:round;paint-order:stroke}
.plot .line{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}
.plot .point{stroke:var(--plot-ground);stroke-width:1}
"""


def plot_css() -> Markup:
    """The style sheet of drawings inside a page: light, or dark where the reader prefers it."""
    light = _variables(LIGHT, LIGHT_SERIES)
    dark = _variables(DARK, DARK_SERIES)
    series = "".join(
        f".plot .s{i}{{--plot-series:var(--plot-s{i})}}" for i in range(1, len(LIGHT_SERIES) + 1)
    )
    return Markup(  # noqa: S704  (made of the constants above)
        f":root{{{light}}}\n@media (prefers-color-scheme:dark){{:root{{{dark}}}}}\n{SHAPES}{series}\n"
        ".plot .line{stroke:var(--plot-series)}.plot .point{fill:var(--plot-series)}\n"
    )


def standalone(svg: Markup) -> str:
    """The drawing as a file of its own, with its ground and its colours. Takes what `line_plot` returned."""
    head, rest = svg.split(">", 1)
    style = f'<style>{plot_css()}</style><rect width="100%" height="100%" fill="var(--plot-ground)"/>'
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{head}>{style}{rest}\n'


def _variables(colours: dict[str, str], series: tuple[str, ...]) -> str:
    named = {**colours, **{f"s{i}": colour for i, colour in enumerate(series, start=1)}}
    return "".join(f"--plot-{name}:{colour};" for name, colour in named.items())
