"""Plain text whose lines were broken for transport (`format=flowed`, RFC 3676) as it was typed."""

from __future__ import annotations


def unflowed(text: str, *, delete_space: bool) -> str:
    """Lines that end with a space go on in the next line of the same quotation; `delete_space` is `delsp=yes`."""
    joined: list[tuple[int, list[str]]] = []
    goes_on = False
    for line in text.split("\n"):
        depth = len(line) - len(line.lstrip(">"))
        said = line[depth:].removeprefix(" ")
        flows = said.endswith(" ") and said != "-- "
        if goes_on and joined[-1][0] == depth and said != "-- ":
            joined[-1][1].append(said)
        else:
            joined.append((depth, [said]))
        if flows and delete_space:
            joined[-1][1][-1] = said[:-1]
        goes_on = flows
    return "\n".join(f"{'>' * depth}{' ' if depth else ''}{''.join(pieces)}" for depth, pieces in joined)
