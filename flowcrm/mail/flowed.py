"""format=flowed text (RFC 3676): lines that end in a space go on in the next."""

import re

_QUOTE_MARKS = re.compile(r">*")
_SIGNATURE = "-- "


def unflow(text: str, *, delsp: bool = False) -> str:
    """The text with its soft line breaks taken out. delsp: the space before a soft break was only its mark."""
    lines: list[str] = []
    open_depth = -1  # quote depth of a paragraph that goes on
    for line in text.split("\n"):
        marks = _QUOTE_MARKS.match(line)
        depth = marks.end() if marks else 0
        content = line[depth:]
        content = content[1:] if content.startswith(" ") else content
        flows = content.endswith(" ") and content != _SIGNATURE
        if depth == open_depth and content != _SIGNATURE:
            lines[-1] += content
        else:
            lines.append(f"{'>' * depth} {content}" if depth else content)
        if flows and delsp:
            lines[-1] = lines[-1][:-1]
        open_depth = depth if flows else -1
    return "\n".join(lines)
