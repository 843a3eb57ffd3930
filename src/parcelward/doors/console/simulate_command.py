"""`parcelward simulate`: see doors/simulator."""

from parcelward.doors.simulator.play import add_arguments
from parcelward.doors.simulator.play import main as run

__all__ = ["add_arguments", "run"]
