"""Connected components of messages or conversations: what one thing ties together, whatever came first."""


class Components:
    """Union-find over ids; the smallest id of a component (the first stored) is its name."""

    def __init__(self) -> None:
        self._parent: dict[int, int] = {}

    def find(self, one: int) -> int:
        root = one
        while self._parent.get(root, root) != root:
            root = self._parent[root]
        while self._parent.get(one, one) != root:
            self._parent[one], one = root, self._parent[one]
        return root

    def join(self, one: int, other: int) -> int:
        low, high = sorted((self.find(one), self.find(other)))
        self._parent[high] = low
        self._parent.setdefault(low, low)
        return low

    def losers(self) -> dict[int, int]:
        """Every id that is not the name of its component -> that name."""
        return {one: self.find(one) for one in self._parent if self.find(one) != one}
