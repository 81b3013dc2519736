"""The embedded stack: Kafka, PostgreSQL, an S3 server, the gateway and the services as plain processes."""
