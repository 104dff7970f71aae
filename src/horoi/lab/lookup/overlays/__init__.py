"""The overlays of the lab, by name. Each module says how its room is booted, settled and judged (``overlay.Overlay``)."""
