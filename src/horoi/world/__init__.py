"""Worlds host machines: ``live`` on sockets, disks and real time, ``sim`` on one seed. A world knows no room."""
