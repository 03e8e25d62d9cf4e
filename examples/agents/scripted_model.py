"""A stand-in for a language model: it plays its moves in order, whatever it is told. There is nothing behind it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Move:
    """One thing that a model asks for: a tool and its argument; content is the file's, for "create"."""

    tool: str
    argument: str
    content: str = ""


class ScriptedModel:
    def __init__(self, moves: list[Move]) -> None:
        self._moves = iter(moves)
        self.heard: list[str] = []

    def next_move(self, observation: str) -> Move | None:
        """What a model would answer to the observation. None: it is done."""
        self.heard.append(observation)
        return next(self._moves, None)
