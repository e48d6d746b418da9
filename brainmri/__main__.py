"""The command line: everything that the dashboard can start, without a browser.

``--json`` prints one JSON object on stdout and nothing else there. Exit code 0: done; 1: a failure, explained on stderr
in a sentence; 2: bad usage.
"""

from __future__ import annotations

import sys
import traceback
from argparse import Namespace
from collections.abc import Sequence

from brainmri.commands.parser import make_parser
from brainmri.errors import BrainMRIError, UsageError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = make_parser().parse_args(arguments)
    try:
        code: int = options.run(options)
        return code
    except BrainMRIError as error:
        print(f"brainmri {options.command}: {error}", file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 1
    except KeyboardInterrupt:
        print(f"brainmri {options.command}: stopped.", file=sys.stderr)
        return 1
    except Exception as error:  # the last resort: a sentence for the user, the rest on request
        _explain_unexpected(options, error)
        return 1


def _explain_unexpected(options: Namespace, error: Exception) -> None:
    print(
        f"brainmri {options.command}: unexpected {type(error).__name__}: {error}. This is a defect of brainmri; "
        "run the command again with --debug and report what it prints.",
        file=sys.stderr,
    )
    if options.debug:
        traceback.print_exception(error)


if __name__ == "__main__":
    sys.exit(main())
