from worker.run.crowd_watch import CrowdWatch


def test_a_worker_with_too_many_blocked_threads_drains_once() -> None:
    threads, drained = [1], list[str]()
    watch = CrowdWatch(2, lambda: drained.append("drained"), count=lambda: threads[0])
    watch.check()
    assert drained == []
    threads[0] = 2
    watch.check()
    watch.check()
    assert drained == ["drained"]
