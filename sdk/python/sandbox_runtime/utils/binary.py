"""Where srt is."""

import os
import shutil


class SrtNotFoundError(RuntimeError):
    """coffer is not installed, or not where anybody looks."""


def find_srt() -> str:
    """The srt that belongs to coffer: npm's has the same name, so PATH is asked for coffer instead. COFFER_SRT names another one."""
    named = os.environ.get("COFFER_SRT")
    if named:
        return named
    coffer = shutil.which("coffer")
    if coffer:
        for folder in (os.path.dirname(coffer), os.path.dirname(os.path.realpath(coffer))):
            srt = os.path.join(os.path.abspath(folder), "srt")
            if os.access(srt, os.X_OK):
                return srt
    raise SrtNotFoundError("coffer's srt is not in PATH: install coffer, or name the program in COFFER_SRT")
