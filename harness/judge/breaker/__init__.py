"""A circuit breaker judged from outside: joined calls in, numbered findings out. Pure."""
