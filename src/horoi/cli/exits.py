"""How every run ends: an exit code that means one thing, and one sentence on stderr if it is not 0.

0    done                              8    not found
1    refused for another reason        9    the node's token or a key is lacking
2    used wrongly                      10   the keys do not hold what is needed
3    bytes that are not what they say  11   the clock of this machine is off
4    a rule of the ledger is broken    70   a fault of this program (BSD sysexits, EX_SOFTWARE)
5    a key cannot be used              130  stopped by Ctrl-C (128 + SIGINT)
6    the disk                          141  nobody reads the output any more (128 + SIGPIPE)
7    the network, or a taken port
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

import click

from horoi.base.errors import HoroiError
from horoi.cli.output import describe, say_error, to_json

EXIT_USAGE = 2
EXIT_FAULT = 70
EXIT_INTERRUPTED = 130
EXIT_PIPE = 141


class ClockError(HoroiError):
    """The clock of this machine is off. Exit code 11."""

    exit_code = 11


def run(command: Callable[[], int | None], *, as_json: bool, debug: bool) -> int:
    """Call ``command`` and return the exit code, having said on stderr what went wrong."""
    try:
        code = command()
        sys.stdout.flush()
    except HoroiError as error:
        say_error(to_json(describe(error)) if as_json else f"error: {error}")
        return error.exit_code
    except click.UsageError as error:
        _say_usage(error, as_json)
        return EXIT_USAGE
    except click.ClickException as error:
        say_error(_as_json("usage", error.format_message()) if as_json else f"error: {error.format_message()}")
        return EXIT_USAGE
    except (KeyboardInterrupt, click.Abort):
        say_error("stopped")
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        _forget_stdout()
        return EXIT_PIPE
    except Exception as error:
        if debug:
            raise
        text = f"this program failed ({type(error).__name__}: {error}); run it with --debug (horoi --debug ...) and report it"
        say_error(_as_json("fault", text) if as_json else f"error: {text}")
        return EXIT_FAULT
    return code or 0


def _say_usage(error: click.UsageError, as_json: bool) -> None:
    if as_json:
        say_error(_as_json("usage", error.format_message()))
        return
    say_error(f"error: {error.format_message()}")
    if error.ctx is not None:
        say_error(f"see: {error.ctx.command_path} --help")


def _as_json(kind: str, message: str) -> str:
    return to_json({"error": {"kind": kind, "message": message}})


def _forget_stdout() -> None:
    """What is still buffered cannot be written; without this the interpreter would complain at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
