"""`srt-py`, for those who installed this package: coffer's own, under the port's manners."""

import os
import sys

from sandbox_runtime.utils.binary import SrtNotFoundError, find_srt


def main() -> None:
    try:
        srt = find_srt()
    except SrtNotFoundError as error:
        sys.exit(f"Error: {error}")
    os.execve(srt, [srt, *sys.argv[1:]], {**os.environ, "COFFER_SRT_PROFILE": "py"})


if __name__ == "__main__":
    main()
