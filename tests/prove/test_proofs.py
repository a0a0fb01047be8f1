"""Runs the proofs: their first seeds in `make test`, all that have not held yet under FLOWCRM_PROVE=1 (`make prove`)."""

import os

import pytest

from tests.prove import record
from tests.prove.proof import Proof
from tests.prove.table import PROOFS

LONG = os.environ.get("FLOWCRM_PROVE") == "1"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    pairs = [(proof, seed) for proof in PROOFS for seed in (record.missing(proof) if LONG else range(proof.slice))]
    metafunc.parametrize(("proof", "seed"), pairs, ids=[f"{proof.name}-{seed}" for proof, seed in pairs])


@pytest.mark.needs_postgres
@pytest.mark.slow
@pytest.mark.timeout(3600 if LONG else 300)
def test_proof_holds(proof: Proof, seed: int) -> None:
    figures = proof.run(seed)
    if LONG:
        record.held(proof, seed, figures)
