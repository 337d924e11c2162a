"""Play forty batches after the warm-up and count what was compiled; runs as a process too."""

from dataclasses import replace

import numpy as np

from rtls.engine import Engine, compiled_signatures
from rtls.model.reading import ReadingArray, ReadingKind
from rtls.model.site_map import Radio, SiteMap
from rtls.visit_analysis import VisitAnalysis
from tests.reference.shelf_site import START_MS, exact_ranges, make_batch, shelf_site


def counts_before_and_after(site: SiteMap) -> tuple[int, int]:
    """Return the signatures known after the warm-up, and after readings of many shapes."""
    engine, analysis = Engine(site), VisitAnalysis(site)
    engine.warm_up()
    analysis.warm_up()
    ready = compiled_signatures()
    for number in range(40):
        at = START_MS + 500 * number
        places = [(0, 5, 4.5), (1, 18, 2)] if number < 20 else [(1, 18, 2)]
        readings = exact_ranges(site, at, places if number % 7 else [])
        if site.anchors[0].radio is Radio.BLE:
            readings = as_rssi(readings)
        if number == 3:
            readings = readings[readings["anchor"] != 2]
        introduced = [(0, "tag:a"), (1, "tag:b")] if number == 0 else ()
        batch = make_batch(site, number, at, readings, introduced=introduced)
        analysis.take(engine.process(batch))
        if number == 30:
            state = engine.snapshot()
            engine = Engine(site)
            engine.restore(state)
    return ready, compiled_signatures()


def as_rssi(ranges: ReadingArray) -> ReadingArray:
    """Return how strongly the tags would be heard instead."""
    readings = ranges.copy()
    readings["kind"] = ReadingKind.RSSI
    readings["value"] = -60.0 - 20.0 * np.log10(np.maximum(ranges["value"], 0.3))
    return readings


if __name__ == "__main__":
    uwb = shelf_site()
    ble = replace(uwb, anchors=tuple(replace(a, radio=Radio.BLE) for a in uwb.anchors))
    for site in (ble, uwb):  # the grid first: its own kernels are few, and the others come later
        print(*counts_before_and_after(site))  # noqa: T201
