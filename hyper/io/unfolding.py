"""How large the objects of a pickle are when every reference to them is followed.

A few hundred bytes can nest tuples that hold each other twice: little memory, but hashing or printing one visits it
exponentially often.
"""

import pickle
import pickletools
from collections.abc import Iterable
from typing import Any

_MOST = 50_000_000


def check_unfolding(instructions: Iterable[tuple[pickletools.OpcodeInfo, Any, int | None]]) -> None:
    """Follow the instructions on a stack of sizes.

    Parameters
    ----------
    instructions : iterable
        From `pickletools.genops`.

    Raises
    ------
    pickle.UnpicklingError
        When an object unfolds to more than 50 million.
    """
    stack: list[int | None] = []  # None is a mark
    memo: dict[int, int] = {}
    for opcode, argument, _ in instructions:
        if opcode.name == "MEMOIZE" or "PUT" in opcode.name:
            memo[len(memo) if argument is None else argument] = (stack[-1] if stack else None) or 1
            continue
        size = memo.get(argument, 1) if "GET" in opcode.name else 1 + _pop(stack, opcode)
        if size > _MOST:
            raise pickle.UnpicklingError("its pickle is damaged (its objects hold each other without end)")
        stack += [None if kind is pickletools.markobject else size for kind in opcode.stack_after]


def _pop(stack: list[int | None], opcode: pickletools.OpcodeInfo) -> int:
    """Take from the stack what an instruction takes; a damaged pickle may find it empty."""
    before, total = opcode.stack_before, 0
    count = len(before)
    if pickletools.markobject in before or (opcode.name == "POP" and stack and stack[-1] is None):
        count = before.index(pickletools.markobject) if pickletools.markobject in before else 0
        while stack and (size := stack.pop()) is not None:
            total += size
    for _ in range(min(count, len(stack))):
        total += stack.pop() or 0
    return total
