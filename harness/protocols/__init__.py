"""Sans-IO framing: bytes seen and instants in, turns and messages out. No sockets, no clocks."""
