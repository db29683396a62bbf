"""Clients opened by service name: SQL, HTTP and Redis, shared by resets and probes.

They go to a service directly, never through a hop. Drivers are imported when first needed. What a
reading means is not known here.
"""
