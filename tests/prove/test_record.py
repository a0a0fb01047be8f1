"""A long run goes on where it was stopped, and its page says what was proved at which commit."""

from pathlib import Path

from tests.prove import record
from tests.prove.proof import Proof
from tests.prove.report import report
from tests.prove.table import PROOFS

PROOF = Proof("example", "It holds.", lambda seed: {}, seeds=4, slice=1)


def test_a_run_goes_on_where_it_was_stopped(tmp_path: Path) -> None:
    assert record.missing(PROOF, tmp_path) == [0, 1, 2, 3]
    record.held(PROOF, 2, {"kills": 3}, tmp_path)
    assert record.missing(PROOF, tmp_path) == [0, 1, 3]


def test_a_line_cut_by_a_kill_is_run_again(tmp_path: Path) -> None:
    record.held(PROOF, 0, {"kills": 3}, tmp_path)
    record.held(PROOF, 1, {"kills": 4}, tmp_path)
    file = tmp_path / "example.jsonl"
    file.write_text(file.read_text()[:-10])
    assert record.missing(PROOF, tmp_path) == [1, 2, 3]
    record.held(PROOF, 1, {"kills": 4}, tmp_path)
    assert record.missing(PROOF, tmp_path) == [2, 3]


def test_what_held_for_another_commit_does_not_count(tmp_path: Path) -> None:
    record.held(PROOF, 0, {}, tmp_path)
    file = tmp_path / "example.jsonl"
    file.write_text(file.read_text().replace(record.commit(), "0000000"))
    assert record.missing(PROOF, tmp_path) == [0, 1, 2, 3]


def test_the_page_says_what_was_run_and_what_was_not(tmp_path: Path) -> None:
    proof = PROOFS[0]
    assert f"Not run yet (0 of {proof.seeds} seeds)." in report(tmp_path)
    for seed, rows in enumerate((10, 30, 20)):
        record.held(proof, seed, {"rows committed": rows}, tmp_path)
    page = report(tmp_path)
    assert f"Held for 3 of {proof.seeds} seeds" in page
    assert f"commit `{record.commit()}`" in page
    assert "| rows committed | 10 | 20 | 30 |" in page


def test_every_proof_has_a_name_of_its_own_and_a_slice_that_is_less_than_the_whole() -> None:
    assert len({proof.name for proof in PROOFS}) == len(PROOFS)
    assert all(0 <= proof.slice < proof.seeds for proof in PROOFS)
