"""The long proofs. `make prove` runs every seed and writes docs/proof.md; `make test` runs the first few of each.

To add one: write a function `prove(seed: int) -> Figures` in a module here and name it in table.py.
"""
