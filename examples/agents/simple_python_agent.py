#!/usr/bin/env python3
"""The least that is an agent: it asks the model for a move, makes it in the sandbox, and tells the model what came of it."""

import asyncio

from scripted_model import Move, ScriptedModel
from workbench import Workbench

MOVES = [
    Move("python", "print('Hello from sandbox!', sum(range(10)))"),
    Move("bash", "echo 'one two three' > words.txt && wc -w < words.txt"),
    Move("python", "print(open('words.txt').read().upper())"),
    Move("bash", "echo gone >> /etc/hosts"),
    Move("bash", "curl -s http://example.com/"),
]


async def main() -> None:
    model = ScriptedModel(MOVES)
    observation = "Show what you can do."
    async with Workbench() as bench:
        while move := model.next_move(observation):
            print(f"--- {move.tool}: {move.argument}")
            result = await (bench.run_python(move.argument) if move.tool == "python" else bench.run(move.argument))
            observation = f"exit status {result.status}\n{result.text}"
            print(observation)


if __name__ == "__main__":
    asyncio.run(main())
