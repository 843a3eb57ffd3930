"""Labels as PDF, ZPL and PNG, from one layout in millimetres (docs/labels.md)."""
