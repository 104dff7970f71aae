"""The live world: machines on asyncio, over TCP with TLS 1.3 and node keys, and over UDP. Real disk, real time."""
