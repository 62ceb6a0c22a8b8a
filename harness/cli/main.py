"""The `harness` command. Exit codes: 0 conforming, 1 violating, 2 usage, 3 unreachable, 4 inconclusive."""

from __future__ import annotations

import difflib
import io
import sys
from collections.abc import Callable
from importlib import import_module

import click

from harness import __version__
from harness.cli.screen import say
from harness.core.errors import HarnessError, TargetUnreachableError, UsageError
from harness.core.printable import make_logs_printable

USAGE, UNREACHABLE, BROKEN = 2, 3, 4

# Command → the module that has it, imported when asked for: `harness judge` need not wait for a web server.
COMMANDS = {
    "capacity": "harness.cli.capacity",
    "catalogue": "harness.cli.catalogue",
    "compare": "harness.cli.compare",
    "demo": "harness.cli.demo",
    "doctor": "harness.cli.doctor",
    "fake-openai": "harness.cli.serving",
    "faults": "harness.cli.catalogue",
    "ice": "harness.cli.ice",
    "judge": "harness.cli.judge",
    "page": "harness.cli.page",
    "relay": "harness.cli.serving",
    "soak": "harness.cli.capacity",
}


class LazyGroup(click.Group):
    """Loads a command's module when the command is named."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  (click's signature)
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  (as above)
        if cmd_name not in COMMANDS:
            return None
        module = import_module(COMMANDS[cmd_name])
        command: click.Command = getattr(module, cmd_name.replace("-", "_"))
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does; a name that is none is answered with those like it."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            near = " or ".join(difflib.get_close_matches(args[0], COMMANDS))
            if not near:
                raise
            raise click.UsageError(f"{error.message} Did you mean {near}?", ctx) from error


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="harness")
def cli() -> None:
    """Check and load voice relays in front of OpenAI Realtime."""


def main(arguments: list[str] | None = None) -> None:
    """Run, and end with the exit code of the contract: one message for each failure, never a traceback."""
    make_logs_printable()
    sys.exit(_run(lambda: cli.main(arguments, prog_name="harness", standalone_mode=False)))


def _run(command: Callable[[], object]) -> int:
    try:
        code = command()
    except click.ClickException as error:
        shown = io.StringIO()
        error.show(shown)
        say(shown.getvalue().rstrip("\n"), err=True)
        return USAGE
    except click.Abort:
        return 130  # as a shell reports SIGINT
    except UsageError as error:
        return _fail(error, USAGE)
    except TargetUnreachableError as error:
        return _fail(error, UNREACHABLE)
    except HarnessError as error:
        return _fail(error, BROKEN)
    return code if isinstance(code, int) else 0


def _fail(error: HarnessError, code: int) -> int:
    say(f"harness: {error}", err=True)
    return code
