"""docs/transports.md and its drawing, from calls that are made now: `make transports`, as root."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from pathlib import Path

import uvloop

from tools.transports.found import FIGURES, document, is_whole, pages, written
from tools.transports.machines import missing
from tools.transports.networks import NETWORKS, PUBLISHED_FROM
from tools.transports.running import Found, in_turn, run

DOCS = Path(__file__).parents[2] / "docs"
REPORTS = Path(__file__).parents[2] / "reports" / "transports"


async def _measured(options: argparse.Namespace, keep: Path | None) -> Found:
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    planned = in_turn(options.network or list(NETWORKS), options.calls, options.seed)

    def tell(line: str) -> None:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()

    tell(f"{len(planned)} calls, {options.side_by_side} side by side")
    return await run(planned, places=options.side_by_side, seed=options.seed, tell=tell, keep=keep)


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number of calls: give 1 or more")
    return int(text)


def main() -> None:
    """Make the calls, and write what came of them."""
    parser = argparse.ArgumentParser(prog="python -m tools.transports", description=__doc__)
    parser.add_argument("--calls", type=_count, default=PUBLISHED_FROM, help="of each network and way")
    parser.add_argument("--side-by-side", type=_count, default=6, help="calls (default: 6, for two cores)")
    parser.add_argument("--network", action="append", choices=list(NETWORKS), help="only these")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help=f"each call's timeline, in {REPORTS.name}/")
    options = parser.parse_args()
    if why := missing():
        sys.exit(f"transports.md is left as it is: {why}")
    REPORTS.mkdir(parents=True, exist_ok=True)
    try:
        found = uvloop.run(_measured(options, REPORTS if options.keep else None))
    except (KeyboardInterrupt, asyncio.CancelledError):
        sys.exit("stopped: nothing is left running, and transports.md is as it was")
    except RuntimeError as failed:
        sys.exit(f"transports.md is left as it is: {failed}")
    made = document(found, side_by_side=options.side_by_side, seed=options.seed)
    latest = REPORTS / "latest.json"
    latest.write_text(written(made), encoding="utf-8")
    for name, text in pages(latest).items():
        (REPORTS / name).write_text(text, encoding="utf-8")
    if not is_whole(made["cells"]):
        sys.stdout.write(
            f"reports/{REPORTS.name}/ has it; docs/ wants {PUBLISHED_FROM} calls of each network and way\n"
        )
        sys.exit(bool(found.given_up))
    FIGURES.write_text(written(made), encoding="utf-8")
    for name, text in pages().items():
        (DOCS / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
