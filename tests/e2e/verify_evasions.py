#!/usr/bin/python3
"""verify_evasions.py COFFER-VERIFY FILE: judges each program of the file (which says how it is written) in strict mode, and says which were not judged as it says."""
import sys

import verify_oracle


def read(path):
    with open(path, encoding="utf-8") as file:
        for line in file:
            line = line.rstrip("\n")
            if not line or line.startswith("#") and not line.startswith("# coding") and not line.startswith("# -*-"):
                continue
            kind, program = "caught", line
            if line.startswith("- "):
                kind, program = "harmless", line[2:]
            elif line.startswith("= "):
                kind, program = "missed", line.split(" | ", 1)[1]
            yield kind, program, program.replace("\\n", "\n").replace("\\r", "\r").replace("\\f", "\f").replace("\\\n", "\\\n").replace("\\\\", "\\").encode() + b"\n"


def main(program, path):
    cases = list(read(path))
    wrong = 0
    for (kind, text, _), answer in zip(cases, verify_oracle.judge(program, [source for _, _, source in cases], "--mode", "strict")):
        errors = [finding for finding in answer.get("findings", []) if finding["severity"] == "error"]
        if bool(errors) != (kind == "caught") or answer.get("broken", True):
            wrong += 1
            print(f"{kind}, but {len(errors)} errors{' and broken' if answer.get('broken', True) else ''}: {text}   {[e['message'] for e in errors]}")
    counts = {kind: sum(1 for case in cases if case[0] == kind) for kind in ("caught", "missed", "harmless")}
    print(f"caught {counts['caught']} missed {counts['missed']} harmless {counts['harmless']} wrong {wrong}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
