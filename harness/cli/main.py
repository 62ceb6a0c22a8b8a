"""The `harness` command. Exit codes: 0 conforming, 1 violating, 2 usage, 3 unreachable, 4 inconclusive."""

from __future__ import annotations

import harness.run.quietly  # noqa: F401  (first: importing the rest takes a second)

# isort: split
import sys
import traceback
from collections.abc import Callable
from importlib import import_module

import click

from harness import __version__
from harness.cli.screen import say
from harness.core.errors import HarnessError, TargetUnreachableError, UsageError
from harness.core.exit_codes import INCONCLUSIVE, UNREACHABLE, USAGE
from harness.core.nearest import meant
from harness.core.printable import make_logs_printable
from harness.run import early

# Command → the module that has it, imported when asked for: `harness judge` need not wait for a web server.
COMMANDS = {
    "behind": "harness.cli.behind",
    "capacity": "harness.cli.capacity",
    "catalogue": "harness.cli.catalogue",
    "compare": "harness.cli.compare",
    "demo": "harness.cli.demo",
    "doctor": "harness.cli.doctor",
    "fake-openai": "harness.cli.serving",
    "faults": "harness.cli.catalogue",
    "ice": "harness.cli.ice",
    "init": "harness.cli.init",
    "judge": "harness.cli.judge",
    "page": "harness.cli.page",
    "relay": "harness.cli.serving",
    "schema": "harness.cli.schema",
    "soak": "harness.cli.capacity",
    "watch": "harness.cli.watch",
}


class LazyGroup(click.Group):
    """Loads a command's module when the command is named."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  (click's signature)
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  (as above)
        if cmd_name not in COMMANDS:
            return None
        with early.importing():
            module = import_module(COMMANDS[cmd_name])
        command: click.Command = getattr(module, cmd_name.replace("-", "_"))
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does; a name that is none is answered with those like it."""
        if args and not args[0].startswith("-") and args[0] not in COMMANDS:
            raise UsageError(f"there is no command {args[0]!r}", meant(args[0], COMMANDS))
        return super().resolve_command(ctx, args)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="harness")
def cli() -> None:
    """Check and load voice relays in front of OpenAI Realtime."""


def main(arguments: list[str] | None = None) -> None:
    """Run, and end with the exit code of the contract: one message for each failure, never a traceback."""
    if arguments is None:
        early.be_ready()
    make_logs_printable()
    code = _run(lambda: cli.main(arguments, prog_name="harness", standalone_mode=False))
    if arguments is None:  # as the program: what is left is Python's own end
        early.be_quiet()
    sys.exit(code)


def _run(command: Callable[[], object]) -> int:
    try:
        code = command()
    except click.exceptions.NoArgsIsHelpError as error:
        say(error.format_message(), err=True)
        return USAGE
    except click.ClickException as error:
        return _fail(_in_words(error), USAGE)
    except (click.Abort, KeyboardInterrupt):
        return early.exit_code()
    except UsageError as error:
        return _fail(error, USAGE)
    except TargetUnreachableError as error:
        return _fail(error, UNREACHABLE)
    except HarnessError as error:
        return _fail(error, INCONCLUSIVE)
    except Exception as error:  # ours, and said in one line: where to look is all that a reader can use
        where = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{where.filename.rpartition('/')[2]}:{where.lineno}"
        broke = HarnessError(
            f"the harness broke in {place}: {type(error).__name__}: {error}", "please report this line"
        )
        return _fail(broke, INCONCLUSIVE)
    return code if isinstance(code, int) else 0


def _in_words(error: click.ClickException) -> UsageError:
    """What click found, as our own errors have it: one line, with what to do."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    match error:
        case click.NoSuchOption():
            options = (
                [name for each in context.command.get_params(context) for name in each.opts]
                if context
                else []
            )
            return UsageError(f"there is no option {error.option_name}", meant(error.option_name, options))
        case click.BadParameter(param=click.Option() as option) if error.message:
            said = f"{max(option.opts, key=len)}: {error.message}"
        case _:
            said = " ".join(error.format_message().split())
            said = said[:1].lower() + said[1:]
    return UsageError(said.rstrip("."), f"see {context.command_path if context else 'harness'} --help")


def _fail(error: HarnessError, code: int) -> int:
    say(f"harness: {error}", err=True)
    return code
