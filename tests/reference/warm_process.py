"""Play forty batches after the warm-up and count what was compiled; runs as a process too."""

from rtls.engine import Engine, compiled_signatures
from tests.reference.shelf_site import START_MS, exact_ranges, make_batch, shelf_site


def counts_before_and_after() -> tuple[int, int]:
    """Return the signatures known after the warm-up, and after readings of many shapes."""
    site = shelf_site()
    engine = Engine(site)
    engine.warm_up()
    ready = compiled_signatures()
    for number in range(40):
        at = START_MS + 500 * number
        places = [(0, 5, 4.5), (1, 18, 2)] if number < 20 else [(1, 18, 2)]
        readings = exact_ranges(site, at, places if number % 7 else [])
        if number == 3:
            readings = readings[readings["anchor"] != 2]
        introduced = [(0, "tag:a"), (1, "tag:b")] if number == 0 else ()
        engine.process(make_batch(site, number, at, readings, introduced=introduced))
        if number == 30:
            state = engine.snapshot()
            engine = Engine(site)
            engine.restore(state)
    return ready, compiled_signatures()


if __name__ == "__main__":
    print(*counts_before_and_after())  # noqa: T201
