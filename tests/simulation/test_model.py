import os, time, traceback
import pytest
from tests.simulation.history import make_history, shorten
from tests.simulation.stage import play, Disagrees

pytestmark = [pytest.mark.needs_postgres, pytest.mark.usefixtures("moving_clock"), pytest.mark.timeout(3000)]


def test_many():
    a, b = (int(x) for x in os.environ["SEEDS"].split("-"))
    t0 = time.time()
    fails = []
    for seed in range(a, b):
        h = make_history(seed)
        t = time.time()
        try:
            play(h)
        except Exception as e:
            print("SEED", seed, type(e).__name__, str(e)[:300])
            if not isinstance(e, Disagrees):
                traceback.print_exc()
            fails.append(seed)
            if os.environ.get("SHORTEN"):

                def f(x):
                    try:
                        play(x)
                    except Exception as again:
                        return type(again) is type(e)
                    return False

                s = shorten(h, f)
                for one in s:
                    print("   ", one)
                try:
                    play(s)
                except Exception as again:
                    print("   =>", str(again)[:500])
        print(seed, round(time.time() - t, 2), flush=True)
    print("total", time.time() - t0, "failed", fails)
