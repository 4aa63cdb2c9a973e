"""Prints one line a check, as test/run counts them."""

import traceback
from typing import Callable

failed = 0


def check(name: str, good: bool, detail: str = "") -> bool:
    global failed
    print(("ok - " if good else "not ok - ") + name, flush=True)
    if not good:
        failed += 1
        for line in detail.splitlines()[-12:]:
            print("#   " + line[:300], flush=True)
    return good


def equal(name: str, got, expected) -> bool:
    return check(name, got == expected, f"got      {got!r:.250}\nexpected {expected!r:.250}")


def section(name: str, run: Callable[[], None]) -> None:
    """Runs checks; an exception in them is a failed check, and the following sections still run."""
    try:
        run()
    except Exception:
        check(name + ": ran to its end", False, traceback.format_exc())


def sqlstate_of(action: Callable[[], object]) -> str:
    """'' if the action succeeds, else the SQLSTATE that the format page gives its failure."""
    from envcrypt_format import FormatError

    try:
        action()
    except FormatError as error:
        return error.sqlstate or type(error).__name__
    return ""
