"""What is trained when: resolution, fading, batch."""

from collections.abc import Sequence
from dataclasses import dataclass

from hyper.errors import SettingsError


@dataclass(frozen=True)
class Moment:
    """State of the growth.

    Attributes
    ----------
    blocks : int
        Blocks of the networks; the image has 4 * 2 ** (blocks - 1) pixels a side.
    fade : float
        Weight of the newest block, above 0 to 1.
    batch : int
        Images in a step.
    """

    blocks: int
    fade: float
    batch: int


@dataclass(frozen=True)
class Schedule:
    """Growth by images seen: at every level a fade, then a stay (Karras et al., 2018, appendix A.1).

    Attributes
    ----------
    blocks : int
        Of the finished network, two (8 x 8) or more; growth starts at 8 x 8.
    fades, stays : tuple of int
        Images seen while a level is faded in, and after that, for 8 x 8, 16 x 16, ...; the first fade comes
        from 4 x 4.
    batches : tuple of int
        Images in a step, for the same levels.
    """

    blocks: int
    fades: tuple[int, ...]
    stays: tuple[int, ...]
    batches: tuple[int, ...]

    def __post_init__(self) -> None:
        for name in ("fades", "stays", "batches"):
            values = getattr(self, name)
            if len(values) != self.blocks - 1 or min(values) < (name == "batches"):
                levels = ", ".join(str(8 * 2**i) for i in range(self.blocks - 1))
                mend = f"Give one whole number for each of {levels} pixels"
                raise SettingsError(f"--{name}", f"{list(values)} does not fit", mend)

    @property
    def images(self) -> int:
        """Images seen in all."""
        return sum(self.fades) + sum(self.stays)

    def at(self, seen: int) -> Moment:
        """Return the state after `seen` images."""
        level, left = 0, seen
        while level < self.blocks - 2 and left >= self.fades[level] + self.stays[level]:
            left -= self.fades[level] + self.stays[level]
            level += 1
        batch = self.batches[level]
        fade = min(1.0, (left + batch) / self.fades[level]) if self.fades[level] else 1.0
        return Moment(level + 2, fade, batch)


def for_levels(values: Sequence[int], levels: int) -> tuple[int, ...]:
    """Repeat the last of `values` until there is one for every level."""
    return (*values, *([values[-1]] * (levels - len(values))))[:levels] if values else ()
