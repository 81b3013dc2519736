"""What operators see: structured logs without personal data, Prometheus metrics, OpenTelemetry traces."""
