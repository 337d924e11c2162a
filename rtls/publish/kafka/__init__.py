"""A chain's log on the Kafka API: connection, topics, producer, sinks; the extra `kafka`."""
