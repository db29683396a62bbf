"""The embedded proxy, a process of its own, and the client that drives it or any other Toxiproxy.

The way of a byte: ``listener`` accepts, ``connection`` joins two sockets, ``link`` reads one side
and writes the other, ``chain`` and ``toxics`` (pure) decide what leaves when. ``server`` holds the
state, ``api`` speaks HTTP about it, ``client`` is the other end. Nothing heavy is imported here.
"""
