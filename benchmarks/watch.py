"""Reads the proxy's CPU and memory, and the cores' load, at both ends of a measured window."""

from __future__ import annotations

import os
import time

import attrs

from . import process_tree
from .cores import Placement, busy_seconds


@attrs.frozen
class Reading:
    """Seconds of CPU time since each process or the machine started, and bytes."""

    at: float
    proxy_cpu: float
    proxy_core_busy: float
    load_cpu: float
    load_core_busy: float
    resident: int
    peak: int


class Watch:
    """Takes a `Reading` when the generator says "warm" and another when it says "measured".

    `proxy` is the pid of the proxy, None for the direct call; `harness` are those of stub and generator.
    """

    def __init__(self, placement: Placement, proxy: int | None, harness: tuple[int, ...]) -> None:
        self._placement = placement
        self._proxy = proxy
        self._harness = (*harness, os.getpid())
        self._readings: dict[str, Reading] = {}

    def __call__(self, phase: str) -> None:
        if process_tree.AVAILABLE:
            self._readings[phase] = self._read()

    @property
    def proxy_cpu(self) -> float | None:
        """Seconds of CPU time the proxy used in the window; None if unknown or without a proxy."""
        span = self._span()
        return None if span is None or self._proxy is None else span[1].proxy_cpu - span[0].proxy_cpu

    @property
    def end(self) -> Reading | None:
        """The reading at the end of the window; None if this machine cannot tell."""
        return self._readings.get("measured")

    @property
    def disturbed(self) -> float:
        """The larger share of either core that went to programs which are not part of this load."""
        span = self._span()
        if span is None or span[1].at == span[0].at:
            return 0.0
        begin, end = span
        proxy_own = end.proxy_cpu - begin.proxy_cpu
        load_own = end.load_cpu - begin.load_cpu
        if self._placement.proxy == self._placement.load:
            proxy_own = load_own = proxy_own + load_own
        others = max(
            end.proxy_core_busy - begin.proxy_core_busy - proxy_own,
            end.load_core_busy - begin.load_core_busy - load_own,
        )
        return max(0.0, others / (end.at - begin.at))

    def _span(self) -> tuple[Reading, Reading] | None:
        begin, end = self._readings.get("warm"), self._readings.get("measured")
        return None if begin is None or end is None else (begin, end)

    def _read(self) -> Reading:
        proxy = self._proxy
        return Reading(
            at=time.monotonic(),
            proxy_cpu=0.0 if proxy is None else process_tree.cpu_seconds(proxy),
            proxy_core_busy=busy_seconds(self._placement.proxy),
            load_cpu=sum(map(process_tree.own_cpu_seconds, self._harness)),
            load_core_busy=busy_seconds(self._placement.load),
            resident=0 if proxy is None else process_tree.resident_bytes(proxy),
            peak=0 if proxy is None else process_tree.peak_bytes(proxy),
        )
