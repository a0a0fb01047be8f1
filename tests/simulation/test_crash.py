"""A seeded slice of the crash proof: `make prove` kills 200 times."""

import pytest

from tests.simulation.crash import crash_import

pytestmark = [pytest.mark.needs_postgres, pytest.mark.usefixtures("moving_clock"), pytest.mark.slow]


def test_a_worker_killed_ten_times_during_an_import_loses_nothing_and_doubles_nothing(database: dict[str, str]) -> None:
    outcome = crash_import(database, seed=20261123, kills=10)

    assert outcome.wrong == ()
