import pytest
from tests.simulation.history import *
from tests.simulation.stage import play, Disagrees

pytestmark = [pytest.mark.needs_postgres, pytest.mark.usefixtures("moving_clock"), pytest.mark.timeout(3000)]


def test_bug2():
    for k in range(8):
        h = (
            Contact((0,)),
            *(Deliver(0, 1, (2,)) for _ in range(7)),
            Choose(0, "contacts"),
            Rest(),
            Contact((5,)),
            Slice(0, (), k, (Contact((5, 1), 1),)),
            Rest(),
        )
        try:
            play(h)
            print(k, "ok")
        except Disagrees as e:
            print(k, e)


def test_bug3():
    for k in range(8):
        h = (
            Contact((0,)),
            *(Deliver(0, 1, (2,)) for _ in range(7)),
            Choose(0, "contacts"),
            Rest(),
            Contact((1,)),
            Slice(0, (), k, (Expire(0),)),
            Rest(),
        )
        try:
            play(h)
            print(k, "ok")
        except Disagrees as e:
            print(k, e)
