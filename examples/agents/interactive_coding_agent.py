#!/usr/bin/env python3
"""An agent whose model is whoever types: commands from standard input, each carried out in the sandbox."""

import asyncio
import sys

from workbench import Workbench

HELP = """python CODE       run Python
bash COMMAND      run a shell command
create NAME TEXT  write a file; \\n in the text is a new line
files             what there is
help, quit"""


async def create(bench: Workbench, rest: str) -> str:
    name, _, text = rest.partition(" ")
    if not name:
        return "create what?"
    bench.create(name, text.replace("\\n", "\n") + "\n")
    return f"{name} is written"


async def carry_out(bench: Workbench, line: str) -> str:
    word, _, rest = line.strip().partition(" ")
    if word == "python":
        return (await bench.run_python(rest)).text
    if word == "bash":
        result = await bench.run(rest)
        return result.text if result.status == 0 else f"{result.text}\nexit status {result.status}"
    if word == "create":
        return await create(bench, rest)
    if word == "files":
        return "\n".join(bench.files())
    return HELP if word in ("", "help") else f"no command {word}\n{HELP}"


async def main() -> None:
    prompt = "agent> " if sys.stdin.isatty() else ""
    async with Workbench() as bench:
        while True:
            print(prompt, end="", flush=True)
            line = await asyncio.to_thread(sys.stdin.readline)
            if not line or line.strip() == "quit":
                break
            try:
                print(await carry_out(bench, line), flush=True)
            except ValueError as error:  # a mistake at the prompt ends nothing
                print(f"error: {error}", flush=True)


if __name__ == "__main__":
    asyncio.run(main())
