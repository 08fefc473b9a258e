"""Metrics on a port of their own (METRICS_PORT): counted from the database at each scrape, so that every worker tells
the same and nothing is lost at a restart. Numbers and state names only."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from notifier.core.states import State
from notifier.services import Services
from notifier.store import circuits, counters, events, notifications, unknowns
from notifier.store.circuits import CircuitMode, CircuitState


class DatabaseCollector(Collector):
    """What the tables say at the moment of the scrape."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """One gauge family each; see docs/install.md, "Watching"."""
        now = self._services.clock.now()
        with self._services.db.read() as conn:
            counts = notifications.count_by_state(conn)
            oldest = notifications.oldest_due(conn)
            unaccounted = events.unaccounted(conn)
            dead = events.count_dead_letters(conn)
            held = counters.is_on(conn, counters.HOLD)
            undecided = unknowns.count_unknown_for_good(conn)
            at_risk = notifications.count_at_risk(conn)
            circuit = circuits.get(conn, self._services.gateway.name)
        states = GaugeMetricFamily("sertilink_notifications", "Notifications by state", labels=["state"])
        for state in State:
            states.add_metric([state.value], counts.get(state.value, 0))
        yield states
        lag = max(0.0, (now - oldest).total_seconds()) if oldest else 0.0
        yield GaugeMetricFamily("sertilink_due_lag_seconds", "How long the oldest due notification waits", value=lag)
        yield GaugeMetricFamily("sertilink_events_unaccounted", "Accepted events without an outcome", value=unaccounted)
        yield GaugeMetricFamily("sertilink_dead_letters", "Dead letters that wait for somebody", value=dead)
        yield GaugeMetricFamily("sertilink_held", "1 while the kill switch is on", value=float(held))
        yield GaugeMetricFamily("sertilink_unknown_undecided", "Outcomes that an operator must decide", value=undecided)
        yield GaugeMetricFamily("sertilink_promises_at_risk", "Messages whose 48 hours are nearly over", value=at_risk)
        is_open = circuit is not None and (circuit.state != CircuitState.CLOSED or circuit.mode == CircuitMode.OPEN)
        yield GaugeMetricFamily("sertilink_circuit_open", "1 while the provider is not spoken to", value=float(is_open))


def serve(services: Services, port: int) -> None:
    """Answers scrapes on 127.0.0.1 in a background thread."""
    registry = CollectorRegistry()
    registry.register(DatabaseCollector(services))
    start_http_server(port, addr="127.0.0.1", registry=registry)
