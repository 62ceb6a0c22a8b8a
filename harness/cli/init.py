"""`harness init`: a small beginning in one's own repository, each file of which runs as it is."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import click

from harness import __version__
from harness.cli.screen import say
from harness.config.target import Target
from harness.core.errors import UsageError
from harness.report.schemas import schema_text

LOCAL = "http://127.0.0.1:3000/api/voice/webrtc/session"
TEMPLATES = "harness.cli.starting"
# Template → where it is written.
COMMON = {
    "harness.toml.in": "harness.toml",
    "first_turn.py.in": "voice/first_turn.py",
    "interruption.py.in": "voice/interruption.py",
    "locustfile.py.in": "locustfile.py",
}
CI = {
    "github": {"github.yml.in": ".github/workflows/voice-relay.yml"},
    "gitlab": {"gitlab.yml.in": "voice-relay.gitlab-ci.yml"},
    "none": {},
}


@click.command()
@click.argument("url", default=LOCAL)
@click.option(
    "--folder", metavar="DIR", default=".", type=click.Path(path_type=Path), help="where (default: here)"
)
@click.option(
    "--ci",
    type=click.Choice(list(CI)),
    help="whose recipe to write (default: gitlab where there is a .gitlab-ci.yml, else github)",
)
def init(url: str, folder: Path, ci: str | None) -> None:
    """Write a harness.toml for the relay at URL, two scenarios, a locustfile and a recipe for CI.

    No file that is there is touched.
    """
    if Target(url).secrets():
        raise UsageError(
            "the URL holds what looks like a secret, which would stand in harness.toml",
            'leave it out, and name the variable that holds it: query_env = { code = "STAGING_CODE" }',
        )
    chosen = ci or ("gitlab" if (folder / ".gitlab-ci.yml").exists() else "github")
    for name, text in starting_files(url, chosen).items():
        path = folder / name
        if path.exists():
            say(f"  kept   {path}, which was there")
            continue
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise UsageError(
                f"{path} cannot be written: {error.strerror}", "give another --folder"
            ) from error
        say(f"  wrote  {path}")
    say("now: harness doctor staging; then: pytest voice/ --target staging")


def starting_files(url: str, ci: str) -> dict[str, str]:
    """Path → text of all that is written."""
    written = {path: _filled(template, url=url) for template, path in (COMMON | CI[ci]).items()}
    return written | {"harness.schema.json": schema_text("harness.toml")}


def _filled(template: str, *, url: str) -> str:
    text = files(TEMPLATES).joinpath(template).read_text(encoding="utf-8")
    return text.replace('"{url}"', json.dumps(url)).replace("{version}", __version__)
