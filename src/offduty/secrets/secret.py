"""A value that is only shown to those who ask for it by name."""

from __future__ import annotations

MASK = "***"


class Secret:
    """A text that prints as `***` in every way Python has of printing; `reveal()` gives it back.

    It cannot be pickled nor turned into JSON (both raise TypeError): whoever stores it must say so by calling `reveal()`.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself."""
        return self._value

    def __repr__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self

    def __reduce_ex__(self, protocol: object) -> str:
        raise TypeError("a Secret cannot be pickled: store the place it comes from instead")
