import pytest, time, random
import tests.simulation.crash as c
pytestmark = [pytest.mark.needs_postgres, pytest.mark.usefixtures("moving_clock"), pytest.mark.timeout(3000)]
def test_x(database):
    orig = c._run_and_kill
    boxes = []
    ob = c._fill
    def fill(standin, box, chance, count):
        boxes.append(box); t=time.time(); r = ob(standin, box, chance, count); print("fill", time.time()-t); return r
    c._fill = fill
    def rk(standin, chance):
        t = time.time(); orig(standin, chance); print("kill after", round(time.time()-t,2), "requests", len(standin.log()), "kept", len(boxes[0].kept()), "work", len(boxes[0].work()), boxes[0].state())
    c._run_and_kill = rk
    t=time.time(); print(c.crash_import(database, seed=3, kills=10)); print(time.time()-t)
