#!/usr/bin/env python3
"""An agent that keeps a project: scaffolds it, checks the syntax of what the model writes before it is run, and lets the model repair what fails."""

import asyncio
import shlex

from scripted_model import Move, ScriptedModel
from workbench import Result, Workbench

SCAFFOLD = {
    "README.md": "# {name}\n",
    "{name}/__init__.py": "",
    "{name}/main.py": "def main():\n    return 0\n",
    "tests/__init__.py": "",
    "tests/test_main.py": "import unittest\nfrom {name}.main import main\n\n\nclass Main(unittest.TestCase):\n    def test_main(self):\n        self.assertEqual(main(), 42)\n",
}

MOVES = [
    Move("scaffold", "answer"),
    Move("test", ""),
    Move("create", "answer/main.py", "def main(:\n    return 42\n"),
    Move("create", "answer/main.py", "def main():\n    return 42\n"),
    Move("test", ""),
    Move("create", "../outside.py", "print('gone')\n"),
    Move("bash", "mkdir -p .git/hooks; echo 'sh -i' > .git/hooks/pre-commit"),
    Move("bash", "sleep 60"),
    Move("files", ""),
]


class Agent:
    def __init__(self, bench: Workbench, model: ScriptedModel) -> None:
        self._bench, self._model = bench, model

    async def _syntax(self, name: str) -> Result:
        return await self._bench.run(f"python3 -c 'import ast, sys; ast.parse(open(sys.argv[1]).read(), sys.argv[1])' {shlex.quote(name)}")

    async def _create(self, move: Move) -> str:
        self._bench.create(move.argument, move.content)
        if not move.argument.endswith(".py"):
            return "written"
        result = await self._syntax(move.argument)
        return "written" if result.status == 0 else "written, but: " + result.text.splitlines()[-1]

    async def _scaffold(self, move: Move) -> str:
        for path, content in SCAFFOLD.items():
            self._bench.create(path.format(name=move.argument), content.format(name=move.argument))
        return "a project with " + ", ".join(self._bench.files())

    async def _test(self, move: Move) -> str:
        result = await self._bench.run("python3 -m unittest discover -s tests -t .")
        return "tests pass" if result.status == 0 else f"tests fail\n{result.text}"

    async def _bash(self, move: Move) -> str:
        result = await self._bench.run(move.argument, timeout=2)
        return f"exit status {result.status}\n{result.text}".strip()

    async def _files(self, move: Move) -> str:
        return "\n".join(self._bench.files())

    async def make(self, move: Move) -> str:
        tools = {"scaffold": self._scaffold, "create": self._create, "test": self._test, "bash": self._bash, "files": self._files}
        if move.tool not in tools:
            return f"there is no tool {move.tool}: there are {', '.join(tools)}"
        try:
            return await tools[move.tool](move)
        except (OSError, ValueError) as error:
            return f"refused: {error}"

    async def work(self, task: str) -> None:
        observation = task
        while move := self._model.next_move(observation):
            observation = await self.make(move)
            print(f"--- {move.tool} {move.argument}\n{observation}")


async def main() -> None:
    async with Workbench() as bench:
        await Agent(bench, ScriptedModel(MOVES)).work("Write a program that knows the answer.")


if __name__ == "__main__":
    asyncio.run(main())
