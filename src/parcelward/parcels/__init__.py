"""An item's journey, hand to hand."""
