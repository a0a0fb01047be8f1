"""Variants under one candidate (Message-ID, From, second) that belong to different messages: what a job is to compare."""

from dataclasses import dataclass, field

from flowcrm.store.db import router_rows, row, rows

# More under one candidate are no copies of one mail, but a program that gives each of its mails the same id.
MOST_VARIANTS = 20


@dataclass(frozen=True, slots=True)
class NearVariant:
    """s_body: its sealed text, None where it is longer than was asked for."""

    id: int
    message_id: int
    h_files: bytes
    s_body: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class NearGroup:
    """All variants of a candidate, of which `noted` awaits comparison; of more than MOST_VARIANTS one more than that."""

    noted: int
    variants: tuple[NearVariant, ...]

    @property
    def too_many(self) -> bool:
        return len(self.variants) > MOST_VARIANTS


def workspaces_with_nearby() -> list[int]:
    """The workspaces in which something awaits comparison."""
    found = router_rows("SELECT DISTINCT workspace_id FROM nearby ORDER BY workspace_id")
    return [workspace_id for (workspace_id,) in found]


def next_group(workspace_id: int, *, longest: int) -> NearGroup | None:
    """The candidate that has waited longest, or None. longest: bytes of a sealed text that is worth opening."""
    noted = row(
        """SELECT v.id, v.gen, v.h_candidate FROM nearby n
           JOIN variant v ON v.workspace_id = n.workspace_id AND v.id = n.variant_id
           WHERE n.workspace_id = %s ORDER BY n.variant_id LIMIT 1""",
        [workspace_id],
    )
    if noted is None:
        return None
    variant_id, gen, candidate = noted
    found = rows(
        """SELECT id, message_id, h_files, CASE WHEN octet_length(s_body) <= %s THEN s_body END FROM variant
           WHERE workspace_id = %s AND gen = %s AND h_candidate = %s LIMIT %s""",
        [longest, workspace_id, gen, candidate, MOST_VARIANTS + 1],
    )
    return NearGroup(variant_id, tuple(NearVariant(*one) for one in found))
